(** From the norm in which every step shrinks to the Euclidean norm. *)
From Coq Require Import Reals Lra Lia.
From VG.cert Require Import Sums.
Local Open Scope R_scope.

(** A weighted Euclidean norm: |D v_T| <= rho^T |D v_0| with lo <= D <= hi gives |v_T| <= hi/lo rho^T |v_0|. *)
Lemma norm_of_scaled n scale rho C lo hi (v w : nat -> R) T :
  0 < lo -> 0 <= rho -> (forall i, (i < n)%nat -> lo <= scale i <= hi) -> 0 <= C -> hi <= C * lo ->
  square n (fun i => scale i * w i) <= (rho ^ 2) ^ T * square n (fun i => scale i * v i) ->
  norm n w <= C * rho ^ T * norm n v.
Proof.
intros l0 r0 hs c0 hC h.
assert (p : 0 <= rho ^ T) by now apply pow_le.
apply sqrt_le_scaled; [now apply Rmult_le_pos|apply square_nonneg|].
assert (up : square n (fun i => scale i * v i) <= hi ^ 2 * square n v).
{ unfold square; rewrite <- sumR_scal; apply sumR_le; intros i hi'. rewrite Rpow_mult_distr.
  apply Rmult_le_compat_r; [apply pow2_ge_0|]. specialize (hs i hi'); apply pow_incr; lra. }
assert (down : lo ^ 2 * square n w <= square n (fun i => scale i * w i)).
{ unfold square; rewrite <- sumR_scal; apply sumR_le; intros i hi'. rewrite Rpow_mult_distr.
  apply Rmult_le_compat_r; [apply pow2_ge_0|]. specialize (hs i hi'); apply pow_incr; lra. }
assert (e : (rho ^ 2) ^ T = (rho ^ T) ^ 2) by (rewrite <- !pow_mult; f_equal; lia). rewrite e in h.
assert (l2 : 0 < lo ^ 2) by nra.
apply (Rmult_le_reg_l (lo ^ 2)); [easy|].
pose proof (square_nonneg n v); pose proof (pow2_ge_0 (rho ^ T)).
apply Rle_trans with ((rho ^ T) ^ 2 * (hi ^ 2 * square n v)); [nra|].
destruct n as [|n]; [unfold square; simpl; lra|].
assert (hi ^ 2 <= (C * lo) ^ 2) by (specialize (hs O ltac:(lia)); apply pow_incr; lra).
replace (lo ^ 2 * ((C * rho ^ T) ^ 2 * square (S n) v)) with ((rho ^ T) ^ 2 * ((C * lo) ^ 2 * square (S n) v)) by ring.
apply Rmult_le_compat_l; [easy|]. now apply Rmult_le_compat_r.
Qed.

(** A weighted max-norm: |v_i| <= K x_i goes to rho K x_i at every step; with lo <= x <= hi the Euclidean norm
    is at most sqrt(m) hi/lo rho^T of what it was. *)
Lemma norm_of_max m x rho C lo hi (v : nat -> nat -> R) :
  0 < lo -> 0 <= rho -> (forall i, (i < m)%nat -> lo <= x i <= hi) ->
  0 <= C -> INR m * hi ^ 2 <= C ^ 2 * lo ^ 2 ->
  (forall T K, 0 <= K -> (forall i, (i < m)%nat -> Rabs (v T i) <= K * x i) ->
     forall i, (i < m)%nat -> Rabs (v (S T) i) <= rho * K * x i) ->
  forall T, norm m (v T) <= C * rho ^ T * norm m (v O).
Proof.
intros l0 r0 hx c0 hC hstep T.
assert (s0 : 0 <= norm m (v O)) by apply sqrt_pos.
set (K := norm m (v O) / lo).
assert (K0 : 0 <= K) by (apply Rmult_le_pos; [easy|apply Rlt_le, Rinv_0_lt_compat, l0]).
assert (start : forall i, (i < m)%nat -> Rabs (v O i) <= K * x i).
{ intros i hi'. apply Rle_trans with (norm m (v O)).
  - rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. rewrite Rsqr_pow2. now apply square_entry.
  - replace (norm m (v O)) with (K * lo) by (unfold K; field; lra).
    apply Rmult_le_compat_l; [easy|]. now apply hx. }
assert (all : forall i, (i < m)%nat -> Rabs (v T i) <= rho ^ T * K * x i).
{ clear hC; induction T as [|T IH]; intros i hi'; [rewrite pow_O, Rmult_1_l; auto|].
  replace (rho ^ S T * K * x i) with (rho * (rho ^ T * K) * x i) by (simpl; ring).
  apply hstep; auto. apply Rmult_le_pos; [now apply pow_le|easy]. }
assert (p : 0 <= rho ^ T) by now apply pow_le.
apply sqrt_le_scaled; [now apply Rmult_le_pos|apply square_nonneg|].
apply Rle_trans with (INR m * (rho ^ T * K * hi) ^ 2).
- apply square_le; intros i hi'. eapply Rle_trans; [now apply all|].
  apply Rmult_le_compat_l; [now apply Rmult_le_pos|]. now apply hx.
- assert (e : norm m (v O) ^ 2 = square m (v O)) by (apply pow2_sqrt, square_nonneg). rewrite <- e.
  replace (norm m (v O)) with (K * lo) by (unfold K; field; lra).
  replace (INR m * (rho ^ T * K * hi) ^ 2) with ((rho ^ T * K) ^ 2 * (INR m * hi ^ 2)) by ring.
  replace ((C * rho ^ T) ^ 2 * (K * lo) ^ 2) with ((rho ^ T * K) ^ 2 * (C ^ 2 * lo ^ 2)) by ring.
  apply Rmult_le_compat_l; [apply pow2_ge_0|easy].
Qed.
