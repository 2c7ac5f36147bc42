(* T9: the gradient through attention.

   c = sum_s alpha_s v_s,   alpha = softmax of the scores e_s,   n positions.

   T9_attention.  If scores and values move with de_s and dv_s, then c moves with
                  sum_s alpha_s (dv_s + (v_s - c) de_s).
   T9_one.        If position s alone moves:  dc = alpha_s (dv_s + (v_s - c) de_s),  path length 1.
                  For v_s = W_v h_s and any differentiable score this is
                  alpha_s [W_v + (v_s - c) (grad e_s)^T] dh_s.
   T9_lower.      |dc| >= alpha_s (|dv_s| - |v_s - c| |de_s|)  in a weighted max-norm.
   T9_weight.     If all scores lie in [-B, B] then alpha_s >= e^(-2B) / n: the gradient falls like 1/n,
                  not exponentially; but it falls. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums MaxNorm.
Local Open Scope R_scope.

Section Attention.
Variable n : nat.
Hypothesis n_pos : (0 < n)%nat.

Definition partition (e : vec) := sumR n (fun s => exp (e s)).
Definition alpha (e : vec) s := exp (e s) / partition e.
Definition attend (e : vec) (v : nat -> vec) : vec := fun k => sumR n (fun s => alpha e s * v s k).

Lemma partition_pos e : 0 < partition e.
Proof.
unfold partition; destruct n as [|m]; [lia|]; simpl.
apply Rplus_le_lt_0_compat; [apply sumR_ge0; intros; left|]; apply exp_pos.
Qed.

(* the whole context over the partition sum *)
Lemma attend_quotient e v k : attend e v k = sumR n (fun s => exp (e s) * v s k) / partition e.
Proof.
unfold Rdiv; rewrite Rmult_comm, sumR_scal; apply sumR_ext; intros; unfold alpha, Rdiv; ring.
Qed.

Theorem T9_attention (e : R -> vec) (v : R -> nat -> vec) y de dv : velocity e y de ->
  (forall s, velocity (fun y => v y s) y (dv s)) ->
  velocity (fun y => attend (e y) (v y)) y
    (fun k => sumR n (fun s => alpha (e y) s * (dv s k + (v y s k - attend (e y) (v y) k) * de s))).
Proof.
intros he hv k; pose proof (partition_pos (e y)) as Z0.
assert (dexp : forall s, is_derive (fun z => exp (e z s)) y (exp (e y s) * de s)).
{ intros s; apply (derive_comp exp (fun z => e z s)); [|apply he].
  apply is_derive_Reals, derivable_pt_lim_exp. }
assert (dZ : is_derive (fun z => partition (e z)) y (sumR n (fun s => exp (e y s) * de s))).
{ now apply (derive_sum n (fun s z => exp (e z s))). }
assert (dN : is_derive (fun z => sumR n (fun s => exp (e z s) * v z s k)) y
  (sumR n (fun s => exp (e y s) * de s * v y s k + exp (e y s) * dv s k))).
{ apply (derive_sum n (fun s z => exp (e z s) * v z s k)); intros s _.
  apply (derive_mul (fun z => exp (e z s)) (fun z => v z s k)); [apply dexp|apply hv]. }
apply is_derive_ext with (fun z => sumR n (fun s => exp (e z s) * v z s k) / partition (e z)).
{ intros z; now rewrite attend_quotient. }
evar_last; [apply is_derive_div; [exact dN|exact dZ|lra]|cbv beta].
set (Z := partition (e y)) in *; set (c := attend (e y) (v y) k).
replace (sumR n (fun s => exp (e y s) * v y s k)) with (c * Z)
  by (unfold c; rewrite attend_quotient; fold Z; field; lra).
set (N := fun s => exp (e y s) * de s * v y s k + exp (e y s) * dv s k).
set (B := fun s => exp (e y s) * de s).
transitivity (/ Z * sumR n N + - (c / Z) * sumR n B); [field; lra|].
rewrite !sumR_scal, sumR_add; apply sumR_ext; intros s _.
unfold N, B, alpha; fold Z; field; lra.
Qed.

(* position s alone moves *)
Theorem T9_one (e : R -> vec) (v : R -> nat -> vec) y de dv s : (s < n)%nat ->
  velocity e y de -> (forall r, velocity (fun y => v y r) y (dv r)) ->
  (forall r, r <> s -> de r = 0 /\ forall k, dv r k = 0) ->
  velocity (fun y => attend (e y) (v y)) y
    (fun k => alpha (e y) s * (dv s k + (v y s k - attend (e y) (v y) k) * de s)).
Proof.
intros hs he hv alone k; pose proof (T9_attention e v y de dv he hv k) as all.
cbv beta in all; rewrite (sumR_one n _ s hs) in all; [exact all|].
intros r _ ne; destruct (alone r ne) as [-> dv0]; rewrite dv0; ring.
Qed.

Lemma alpha_pos e s : 0 < alpha e s.
Proof. apply Rdiv_lt_0_compat; [apply exp_pos|apply partition_pos]. Qed.

Theorem T9_lower m x e (v : nat -> vec) de (dv : vec) s : (forall k, 0 < x k) ->
  alpha e s * (norm m x dv - norm m x (fun k => v s k - attend e v k) * Rabs de)
    <= norm m x (fun k => alpha e s * (dv k + (v s k - attend e v k) * de)).
Proof.
intros x0; pose proof (alpha_pos e s) as a0; rewrite norm_scal by (easy || lra).
apply Rmult_le_compat_l; [lra|].
eapply Rle_trans; [|now apply norm_add_ge].
apply Rplus_le_compat_l, Ropp_le_contravar; rewrite Rmult_comm.
rewrite (norm_ext x0 m _ (fun k => de * (v s k - attend e v k))) by (intros; ring).
apply (norm_diag x0 m (fun _ => de)); [apply Rabs_pos|intros; apply Rle_refl].
Qed.

Theorem T9_weight e B s : (forall r, (r < n)%nat -> Rabs (e r) <= B) -> (s < n)%nat ->
  exp (- 2 * B) / INR n <= alpha e s.
Proof.
intros box hs; pose proof (partition_pos e) as Z0; assert (0 < INR n) by (apply lt_0_INR; lia).
assert (mono : forall a b, a <= b -> exp a <= exp b).
{ intros a b [h| ->]; [left; now apply exp_increasing|apply Rle_refl]. }
assert (low : exp (- B) <= exp (e s)).
{ apply mono; specialize (box s hs); apply Rabs_le_between in box; lra. }
assert (high : partition e <= INR n * exp B).
{ rewrite <- sumR_const; apply sumR_le; intros r hr; apply mono.
  specialize (box r hr); apply Rabs_le_between in box; lra. }
pose proof (exp_pos (- 2 * B)); unfold alpha.
apply (Rmult_le_reg_r (partition e)); [easy|].
replace (exp (e s) / partition e * partition e) with (exp (e s)) by (field; lra).
apply Rle_trans with (exp (- 2 * B) / INR n * (INR n * exp B)).
- apply Rmult_le_compat_l; [left; now apply Rdiv_lt_0_compat|easy].
- replace (exp (- 2 * B) / INR n * (INR n * exp B)) with (exp (- 2 * B) * exp B) by (field; lra).
  rewrite <- exp_plus; replace (- 2 * B + B) with (- B) by ring; easy.
Qed.
End Attention.
