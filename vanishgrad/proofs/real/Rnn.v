(* T1 for the real tanh RNN, any size, any inputs.

   h_t = tanh (W h_{t-1} + u_t), where u_t = U x_t + b is any sequence at all.  Move the initial state
   along any curve, with velocity v.  Then h_T moves with the velocity J_T ... J_1 v, and

   - (T1_maxnorm, T1 (ii)) if |W| x <= r x entrywise for some x > 0, then |J_T ... J_1 v|_x <= r^T |v|_x;
   - (T1_vanishing) hence J_T ... J_1 v -> 0 if r < 1: the gradient vanishes for every input sequence;
   - (T1_logistic) a logistic RNN contracts by |W|_x / 4 per step, whatever its weights and inputs;
   - (T2_explosion) a product that is longer than v proves that no x > 0 has |W| x <= x.

   Nothing is lost by starting at time 0: the product from k on is the product from 0 of the later
   inputs, and the inputs are arbitrary.  T1 for the Euclidean norm is in RnnEuclid. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars MaxNorm.
Local Open Scope R_scope.

Section Rnn.
Variables (n : nat) (W : mat) (phi phi' : R -> R) (g : R).
Hypothesis phi_der : forall a, is_derive phi a (phi' a).
Hypothesis phi'_le : forall a, Rabs (phi' a) <= g.
Variable u : nat -> vec.

Definition preact t (h : vec) : vec := fun i => mulmx n W h i + u t i.

(* the state after T steps from h *)
Fixpoint run T (h : vec) : vec :=
  match T with O => h | S t => fun i => phi (preact T (run t h) i) end.

(* J_T ... J_1 v along the trajectory from h *)
Fixpoint tangent T (h v : vec) : vec :=
  match T with
  | O => v
  | S t => fun i => phi' (preact T (run t h) i) * mulmx n W (tangent t h v) i
  end.

Theorem run_velocity T (h : R -> vec) v e : velocity h e v ->
  velocity (fun y => run T (h y)) e (tangent T (h e) v).
Proof.
intros hv; induction T as [|T IH]; [exact hv|]; intros i; simpl.
apply (derive_comp phi (fun y => preact (S T) (run T (h y)) i)); [apply phi_der|].
apply derive_affine, IH.
Qed.

Lemma g_ge0 : 0 <= g.
Proof. eapply Rle_trans; [apply (Rabs_pos (phi' 0))|apply phi'_le]. Qed.

Theorem tangent_le x h v : (forall i, 0 < x i) -> forall T,
  norm n x (tangent T h v) <= (g * opnorm n x W) ^ T * norm n x v.
Proof.
intros x0; induction T as [|T IH]; [simpl; lra|]; simpl tangent.
eapply Rle_trans; [apply (norm_gate x0 n _ W _ g); [apply g_ge0|intros; apply phi'_le]|].
rewrite <- tech_pow_Rmult, (Rmult_assoc _ (_ ^ T)); apply Rmult_le_compat_l; [|exact IH].
apply Rmult_le_pos; [apply g_ge0|apply opnorm_ge0].
Qed.
End Rnn.

Definition tanh_run n W u := run n W tanh u.
Definition tanh_tangent n W u := tangent n W tanh (fun a => 1 - tanh a ^ 2) u.

Theorem tanh_velocity n W u T (h : R -> vec) v e : velocity h e v ->
  velocity (fun y => tanh_run n W u T (h y)) e (tanh_tangent n W u T (h e) v).
Proof. apply run_velocity, is_derive_tanh. Qed.

Section Vanishing.
Variables (n : nat) (W : mat) (x : vec) (r : R).
Hypothesis x_pos : forall i, 0 < x i.
Hypothesis r_ge0 : 0 <= r.
Hypothesis cert : forall i, (i < n)%nat -> sumR n (fun j => Rabs (W i j) * x j) <= r * x i.

Lemma tanh_tangent_le u T h v : norm n x (tanh_tangent n W u T h v) <= r ^ T * norm n x v.
Proof.
eapply Rle_trans; [apply (tangent_le n W tanh _ 1); [apply tanh'_abs_le1|easy]|].
apply Rmult_le_compat_r; [apply norm_ge0|]; rewrite Rmult_1_l.
apply pow_incr; split; [apply opnorm_ge0|now apply opnorm_le].
Qed.

Theorem T1_maxnorm u T (h : R -> vec) v e : velocity h e v ->
  exists d, velocity (fun y => tanh_run n W u T (h y)) e d /\ norm n x d <= r ^ T * norm n x v.
Proof.
intros hv; exists (tanh_tangent n W u T (h e) v); split; [now apply tanh_velocity|].
apply tanh_tangent_le.
Qed.

Theorem T1_vanishing u (h : R -> vec) v e : velocity h e v -> r < 1 ->
  exists d : nat -> vec, (forall T, velocity (fun y => tanh_run n W u T (h y)) e (d T)) /\
    forall i, (i < n)%nat -> is_lim_seq (fun T => d T i) 0.
Proof.
intros hv r1; exists (fun T => tanh_tangent n W u T (h e) v); split; [intros; now apply tanh_velocity|].
intros i hi; apply is_lim_seq_abs_0.
apply (is_lim_seq_le_le (fun _ => 0) _ (fun T => r ^ T * (norm n x v * x i))).
- intros T; split; [apply Rabs_pos|]; rewrite <- Rmult_assoc.
  eapply Rle_trans; [now apply (le_norm x_pos n)|].
  apply Rmult_le_compat_r; [left; apply x_pos|apply tanh_tangent_le].
- apply is_lim_seq_const.
- replace (Finite 0) with (Rbar_mult 0 (norm n x v * x i)) by (simpl; f_equal; ring).
  apply is_lim_seq_scal_r, is_lim_seq_geom; rewrite Rabs_pos_eq; easy.
Qed.
End Vanishing.

(* The logistic RNN contracts four times as fast: Hochreiter's constant. *)
Theorem T1_logistic n W x u T (h : R -> vec) v e : (forall i, 0 < x i) -> velocity h e v ->
  exists d, velocity (fun y => run n W sigma u T (h y)) e d /\
    norm n x d <= (opnorm n x W / 4) ^ T * norm n x v.
Proof.
intros x0 hv; eexists; split; [apply (run_velocity n W sigma _ is_derive_sigma u T h v e hv)|].
replace (opnorm n x W / 4) with (1 / 4 * opnorm n x W) by field; apply tangent_le; [|easy].
intros a; destruct (sigma'_range a); rewrite Rabs_pos_eq; lra.
Qed.

Theorem T2_explosion n W x u T h v : (forall i, 0 < x i) ->
  norm n x v < norm n x (tanh_tangent n W u T h v) -> 1 < opnorm n x W.
Proof.
intros x0 grows; destruct (Rlt_le_dec 1 (opnorm n x W)) as [h1|h1]; [easy|exfalso].
assert (bound := tangent_le n W tanh _ 1 tanh'_abs_le1 u x h v x0 T).
assert ((1 * opnorm n x W) ^ T <= 1).
{ rewrite Rmult_1_l, <- (pow1 T); apply pow_incr; split; [apply opnorm_ge0|easy]. }
pose proof (norm_ge0 (x:=x) n v); unfold tanh_tangent in grows; nra.
Qed.
