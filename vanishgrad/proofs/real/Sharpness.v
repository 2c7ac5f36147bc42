(* T5 (b) and (b') are sharp.

   One unit with F = phi_s, O = omega_s, E = eta_s and C = - kappa_s, started at (h, c) = (0, 1), has
   - sharp_attained: a memory v_T of exactly the product of the deltas of (b'), while they are positive;
   - sharp_killed: at the first delta that is not positive, a coupling no larger than the one allowed under
     which the memory is exactly zero.
   So no condition on these four numbers guarantees a gradient where the one of (b') does not. *)
From Coq Require Import Reals Lra Lia.
Local Open Scope R_scope.

Section Sharp.
Variables phi kappa omega eta : nat -> R.
Fixpoint v s := match s with O => 1 | S r => phi s * v r - kappa s * w r end
with w s := match s with O => 0 | S r => omega s * w r + eta s * (phi s * v r - kappa s * w r) end.
Fixpoint q s := match s with O => 0 | S r => eta s + omega s * (q r / (phi s - kappa s * q r)) end.
Fixpoint bound T := match T with O => 1 | S s => bound s * (phi T - kappa T * q s) end.
Theorem sharp_attained T : (forall s, (s < T)%nat -> 0 < phi (S s) - kappa (S s) * q s) ->
  v T = bound T /\ w T = q T * v T.
Proof.
induction T as [|T IH]; intros pos; [simpl; lra|].
destruct IH as [hv hw]; [intros; apply pos; lia|].
pose proof (pos T (Nat.lt_succ_diag_r T)) as d0; simpl; rewrite hw, hv; split; [ring|].
field; lra.
Qed.
Theorem sharp_killed T : (forall s, (s < T)%nat -> 0 < phi (S s) - kappa (S s) * q s) ->
  0 <= phi (S T) -> 0 < q T -> phi (S T) - kappa (S T) * q T <= 0 ->
  exists k, 0 <= k <= kappa (S T) /\ phi (S T) * v T - k * w T = 0.
Proof.
intros pos f0 q0 dead; destruct (sharp_attained T pos) as [_ hw]; exists (phi (S T) / q T); split; [split|].
- apply Rmult_le_pos; [easy|left; now apply Rinv_0_lt_compat].
- apply (Rmult_le_reg_r (q T)); [easy|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
- rewrite hw; field; lra.
Qed.
End Sharp.
