(* T2, remark: eigenvalues do not decide.

   W = 3/2 (1, -1; 1, -1) squares to 0, so that all its eigenvalues are 0.  Yet the tanh RNN with this W has
   inputs along which its gradient explodes: hold unit 1 at 0 and saturate unit 2.  Then the difference of
   the two velocities grows by 3/2 tanh^2 3 > 1.48 at every step.  A condition for explosion must speak of
   norms: "no explosion if the largest eigenvalue is below 1" is false for a nonlinear network. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential Rnn.
Local Open Scope R_scope.

Definition W : mat := fun _ j => if Nat.eqb j 0 then 3 / 2 else - (3 / 2).
(* inputs that hold the activations at 0 and 3 *)
Definition holding : nat -> vec := fun _ i => 3 / 2 * tanh 3 + if Nat.eqb i 0 then 0 else 3.
Definition held (y : R) : vec := fun i => if Nat.eqb i 0 then y else tanh 3.

Lemma W_apply v i : mulmx 2 W v i = 3 / 2 * (v 0%nat - v 1%nat).
Proof. unfold mulmx, W; simpl; ring. Qed.

Theorem T2_nilpotent v i : mulmx 2 W (mulmx 2 W v) i = 0.
Proof. rewrite W_apply, !W_apply; ring. Qed.

Lemma state_held t : tanh_run 2 W holding t (held 0) 0 = 0 /\ tanh_run 2 W holding t (held 0) 1 = tanh 3.
Proof.
unfold tanh_run; induction t as [|t [IH0 IH1]]; [easy|]; simpl; unfold preact; rewrite !W_apply, IH0, IH1.
unfold holding; simpl; split; [transitivity (tanh 0); [|apply tanh_zero]|]; f_equal; ring.
Qed.

Definition driven : vec := fun i => if Nat.eqb i 0 then 1 else 0.
Definition gap T := let d := tanh_tangent 2 W holding T (held 0) driven in d 0%nat - d 1%nat.

Lemma gap_grows T : gap (S T) = 3 / 2 * tanh 3 ^ 2 * gap T.
Proof.
destruct (state_held T) as [h0 h1]; unfold gap, tanh_tangent, tanh_run in *; simpl tangent.
assert (a : forall i, preact 2 W holding (S T) (run 2 W tanh holding T (held 0)) i
                      = if Nat.eqb i 0 then 0 else 3).
{ intros i; unfold preact; rewrite W_apply, h0, h1; unfold holding; ring. }
rewrite !a, !W_apply; cbn [Nat.eqb]; rewrite tanh_zero; ring.
Qed.

Theorem T2_eigenvalues T : exists d, velocity (fun y => tanh_run 2 W holding T (held y)) 0 d /\
  1.48 ^ T <= d 0%nat - d 1%nat.
Proof.
exists (tanh_tangent 2 W holding T (held 0) driven); split.
- apply (tanh_velocity 2 W holding T held); intros i; unfold held, driven.
  destruct (Nat.eqb i 0); [exact (is_derive_id (K:=R_AbsRing) 0)|apply derive_const].
- change (1.48 ^ T <= gap T); assert (steep : 1.48 <= 3 / 2 * tanh 3 ^ 2).
  { destruct (sigma_nat 6) as [lo _]; simpl INR in lo.
    replace (1 + 1 + 1 + 1 + 1 + 1) with 6 in lo by ring; simpl in lo.
    assert (0.995 <= tanh 3) by (rewrite tanh_sigma; replace (2 * 3) with 6 by ring; lra); nra. }
  induction T as [|T IH]; [unfold gap, tanh_tangent, driven; simpl; lra|].
  rewrite gap_grows; simpl; apply Rmult_le_compat; try lra; apply pow_le; lra.
Qed.
