(* T1 for the real tanh RNN in the Euclidean norm, with a diagonal scaling.

   Let D = diag delta with 0 < lo <= delta <= hi, and suppose |D W D^-1|_2 <= mu, that is,
   |D W x|_2 <= mu |D x|_2 for every x.  Then for every input sequence and every curve of initial states
   with velocity v, the state at time T moves with a velocity d of length

      |d|_2 <= (hi / lo) mu^T |v|_2.

   Here hi / lo is cond D.  With delta = 1 this is T1 (i), Pascanu's condition with the spectral norm. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Rnn.
Local Open Scope R_scope.

Definition norm2 n (v : vec) := sqrt (sumR n (fun i => v i ^ 2)).

Lemma sumsq_ge0 n (v : vec) : 0 <= sumR n (fun i => v i ^ 2).
Proof. apply sumR_ge0; intros; apply pow2_ge_0. Qed.

(* |v|_2 <= c |w|_2 if that holds entry by entry *)
Lemma norm2_le n c v w : 0 <= c -> (forall i, (i < n)%nat -> Rabs (v i) <= c * Rabs (w i)) ->
  norm2 n v <= c * norm2 n w.
Proof.
intros c0 h; unfold norm2; rewrite <- (sqrt_pow2 c) at 1 by easy.
rewrite <- sqrt_mult by (try apply pow2_ge_0; apply sumsq_ge0).
apply sqrt_le_1_alt; rewrite sumR_scal; apply sumR_le; intros i hi.
rewrite <- (pow2_abs (v i)), <- (pow2_abs (w i)), <- Rpow_mult_distr.
apply pow_incr; split; [apply Rabs_pos|now apply h].
Qed.

Section Euclid.
Variables (n : nat) (W : mat) (delta : vec) (lo hi mu : R).
Hypothesis lo_pos : 0 < lo.
Hypothesis delta_range : forall i, lo <= delta i <= hi.
Hypothesis mu_ge0 : 0 <= mu.
Let scaled (v : vec) : vec := fun i => delta i * v i.
Hypothesis W_le : forall v, norm2 n (scaled (mulmx n W v)) <= mu * norm2 n (scaled v).

Lemma scaled_tangent_le u T h v :
  norm2 n (scaled (tanh_tangent n W u T h v)) <= mu ^ T * norm2 n (scaled v).
Proof.
induction T as [|T IH]; [simpl; lra|].
apply Rle_trans with (norm2 n (scaled (mulmx n W (tanh_tangent n W u T h v)))).
- rewrite <- (Rmult_1_l (norm2 n (scaled (mulmx _ _ _)))); apply norm2_le; [lra|]; intros i _.
  unfold scaled; simpl tanh_tangent; rewrite !Rabs_mult, Rmult_1_l.
  apply Rmult_le_compat_l; [apply Rabs_pos|]; rewrite <- Rmult_1_l.
  apply Rmult_le_compat_r; [apply Rabs_pos|apply tanh'_abs_le1].
- eapply Rle_trans; [apply W_le|].
  now rewrite <- tech_pow_Rmult, Rmult_assoc; apply Rmult_le_compat_l.
Qed.

Theorem T1_euclid u T (h : R -> vec) v e : velocity h e v ->
  exists d, velocity (fun y => tanh_run n W u T (h y)) e d /\
    norm2 n d <= hi / lo * mu ^ T * norm2 n v.
Proof.
intros hv; exists (tanh_tangent n W u T (h e) v); split; [now apply tanh_velocity|].
assert (hi0 : 0 <= hi) by (pose proof (delta_range 0); lra).
assert (lo' : 0 < / lo) by now apply Rinv_0_lt_compat.
set (d := tanh_tangent _ _ _ _ _ _).
assert (below : norm2 n d <= / lo * norm2 n (scaled d)).
{ apply norm2_le; [lra|]; intros i _; unfold scaled; rewrite Rabs_mult.
  destruct (delta_range i); rewrite (Rabs_pos_eq (delta i)) by lra.
  rewrite <- Rmult_assoc, <- (Rmult_1_l (Rabs (d i))) at 1.
  apply Rmult_le_compat_r; [apply Rabs_pos|].
  apply (Rmult_le_reg_l lo); [easy|]; rewrite <- Rmult_assoc, Rinv_r; lra. }
assert (above : norm2 n (scaled v) <= hi * norm2 n v).
{ apply norm2_le; [easy|]; intros i _; unfold scaled; rewrite Rabs_mult.
  destruct (delta_range i); rewrite (Rabs_pos_eq (delta i)) by lra.
  apply Rmult_le_compat_r; [apply Rabs_pos|easy]. }
pose proof (scaled_tangent_le u T (h e) v) as step; fold d in step.
assert (muT : 0 <= mu ^ T) by now apply pow_le.
eapply Rle_trans; [exact below|].
replace (hi / lo * mu ^ T * norm2 n v) with (/ lo * (mu ^ T * (hi * norm2 n v))) by (field; lra).
apply Rmult_le_compat_l; [lra|]; eapply Rle_trans; [exact step|].
now apply Rmult_le_compat_l.
Qed.
End Euclid.

(* delta = 1: the spectral norm *)
Corollary T1_spectral n W mu : 0 <= mu ->
  (forall v, norm2 n (mulmx n W v) <= mu * norm2 n v) ->
  forall u T (h : R -> vec) v e, velocity h e v ->
  exists d, velocity (fun y => tanh_run n W u T (h y)) e d /\ norm2 n d <= mu ^ T * norm2 n v.
Proof.
intros mu0 hW u T h v e hv.
assert (one : forall w, norm2 n (fun i => 1 * w i) = norm2 n w).
{ intros w; unfold norm2; f_equal; apply sumR_ext; intros; ring. }
destruct (T1_euclid n W (fun _ => 1) 1 1 mu) with (u := u) (T := T) (h := h) (v := v) (e := e)
  as (d & hd & le); try (intros; lra); try easy.
- intros w; now rewrite !one.
- exists d; split; [easy|]; now replace (1 / 1) with 1 in le by field; rewrite Rmult_1_l in le.
Qed.
