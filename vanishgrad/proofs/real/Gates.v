(* What a gate does to learning, and what it is in other clothes.

   - gate_logit: for the normalised memory y = sqrt (1 - f^2) c the mean squared sensitivity to f is (1 - f^2)^-2, which
     grows without bound as f -> 1; to the logit of f it is (f / (1 + f))^2, never above 1/4.
   - gate_moments: the algebra behind it, from the second moments of c and of its derivative in f.
   - gate_softplus: a softplus step is a gate, exp (- softplus a) = sigma (- a).
   - one_unit_ratio: in one unit, the first input weighs against a later one as the product of the factors between. *)
From Coq Require Import Reals Lra Lia.
From VG.real Require Import Scalars.
Local Open Scope R_scope.

(* With u = 1 - f^2: E c^2 = 1/u, E c c' = f/u^2, E c'^2 = (1 + f^2)/u^3, g = sqrt u and g' = - f / g. *)
Theorem gate_moments f : 0 < f < 1 -> let u := 1 - f ^ 2 in
  f ^ 2 / u * (/ u) - 2 * f * (f / u ^ 2) + u * ((1 + f ^ 2) / u ^ 3) = (/ u) ^ 2.
Proof. intros h u; unfold u; field; nra. Qed.

Theorem gate_logit f : 0 < f < 1 ->
  (f * (1 - f)) ^ 2 * (/ (1 - f ^ 2)) ^ 2 = (f / (1 + f)) ^ 2 /\ (f / (1 + f)) ^ 2 <= 1 / 4.
Proof.
intros h; split; [field; split; nra|].
assert (0 <= f / (1 + f) <= 1 / 2).
{ split; [apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]|].
  apply (Rmult_le_reg_r (1 + f)); [lra|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra. }
nra.
Qed.

Theorem gate_softplus a : exp (- ln (1 + exp a)) = sigma (- a).
Proof.
pose proof (exp_pos a); rewrite exp_Ropp, exp_ln by lra; unfold sigma; now rewrite Ropp_involutive.
Qed.

(* One unit: d h_T / d x_s = (product of j_r for s < r <= T) u phi'(a_s), j_r = w phi'(a_r). *)
Fixpoint run (j : nat -> R) (s len : nat) : R := match len with O => 1 | S l => j (s + S l)%nat * run j s l end.

Lemma run_app j s l m : run j s (l + m) = run j (s + l) m * run j s l.
Proof.
induction m as [|m IH]; [rewrite Nat.add_0_r; simpl; ring|].
rewrite Nat.add_succ_r; simpl; rewrite IH.
replace (s + S (l + m))%nat with (s + l + S m)%nat by lia; ring.
Qed.

(* The first input against input t = 1 + l, with m steps after it: what is behind t is common to both, and the first has
   the factors w phi'(a_s), s = 1 .. t - 1, besides. *)
Theorem one_unit_ratio (w u : R) (d : nat -> R) l m : let j r := w * d r in
  run j 1 (l + m) * (u * d 1%nat) = run j (1 + l) m * (u * d (1 + l)%nat) * run j 0 l.
Proof.
intros j; rewrite run_app.
enough (run j 1 l * d 1%nat = d (1 + l)%nat * run j 0 l) as e.
{ transitivity (run j (1 + l) m * u * (run j 1 l * d 1%nat)); [ring|rewrite e; ring]. }
induction l as [|l IH]; [simpl; ring|].
simpl run; rewrite Rmult_assoc, IH; unfold j; simpl; ring.
Qed.
