(* tanh and the logistic function.

   tanh' = 1 - tanh^2 takes values in (0, 1] and reaches 1 at 0; sigma' = sigma (1 - sigma) takes
   values in (0, 1/4] and reaches 1/4 at 0.  Both functions increase; tanh ranges in (-1, 1), sigma
   in (0, 1).  Around 0 and at infinity: |tanh a| <= |a|, sigma (- b) <= exp (- b). *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Local Open Scope R_scope.

Definition sigma (a : R) := / (1 + exp (- a)).

Lemma sigma_range a : 0 < sigma a < 1.
Proof.
pose proof (exp_pos (- a)); unfold sigma; split; [apply Rinv_0_lt_compat; lra|].
rewrite <- Rinv_1 at 2; apply Rinv_lt_contravar; lra.
Qed.

Theorem is_derive_sigma a : is_derive sigma a (sigma a * (1 - sigma a)).
Proof.
pose proof (exp_pos (- a)); unfold sigma; auto_derive; [lra|field; lra].
Qed.

Theorem sigma'_range a : 0 < sigma a * (1 - sigma a) <= 1 / 4.
Proof. pose proof (sigma_range a); pose proof (pow2_ge_0 (sigma a - 1 / 2)); split; nra. Qed.

Lemma sigma_zero : sigma 0 = 1 / 2.
Proof. unfold sigma; rewrite Ropp_0, exp_0; field. Qed.

Theorem sigma'_zero : sigma 0 * (1 - sigma 0) = 1 / 4.
Proof. rewrite sigma_zero; field. Qed.

Lemma sigma_incr a b : a < b -> sigma a < sigma b.
Proof.
intros h; pose proof (exp_pos (- a)); pose proof (exp_pos (- b)).
assert (exp (- b) < exp (- a)) by (apply exp_increasing; lra).
apply Rinv_lt_contravar; [apply Rmult_lt_0_compat|]; lra.
Qed.

Lemma sigma_le a b : a <= b -> sigma a <= sigma b.
Proof. intros [h|h]; [left; now apply sigma_incr|rewrite h; apply Rle_refl]. Qed.

Lemma sigma_opp a : sigma (- a) = 1 - sigma a.
Proof.
unfold sigma; rewrite Ropp_involutive, exp_Ropp; pose proof (exp_pos a); field; lra.
Qed.

Lemma sigma_opp_le b : sigma (- b) <= exp (- b).
Proof.
unfold sigma; rewrite Ropp_involutive, exp_Ropp; pose proof (exp_pos b).
apply Rinv_le_contravar; lra.
Qed.

(* a forget gate with bias b has the time constant 1 + e^b *)
Lemma sigma_tau b : sigma b = 1 - / (1 + exp b).
Proof. unfold sigma; rewrite exp_Ropp; pose proof (exp_pos b); field; lra. Qed.

Lemma cosh_pos a : 0 < cosh a.
Proof. unfold cosh; pose proof (exp_pos a); pose proof (exp_pos (- a)); lra. Qed.

Theorem is_derive_tanh a : is_derive tanh a (1 - tanh a ^ 2).
Proof.
assert (h : is_derive (fun y => (exp y - exp (- y)) / 2 / ((exp y + exp (- y)) / 2)) a
              (1 - tanh a ^ 2)).
{ pose proof (cosh_pos a) as c; unfold cosh in c.
  auto_derive; [lra|]; unfold tanh, sinh, cosh; field; lra. }
exact h.
Qed.

Lemma tanh_sigma a : tanh a = 2 * sigma (2 * a) - 1.
Proof.
unfold sigma, tanh, sinh, cosh; replace (- (2 * a)) with (- a + - a) by ring.
rewrite exp_plus, exp_Ropp; pose proof (exp_pos a); field; nra.
Qed.

Lemma tanh_range a : -1 < tanh a < 1.
Proof. pose proof (sigma_range (2 * a)); rewrite tanh_sigma; lra. Qed.

Lemma tanh_abs_le1 a : Rabs (tanh a) <= 1.
Proof. pose proof (tanh_range a); apply Rabs_le; lra. Qed.

Lemma tanh_le a b : a <= b -> tanh a <= tanh b.
Proof. intros h; rewrite !tanh_sigma; pose proof (sigma_le (2 * a) (2 * b)); lra. Qed.

Lemma tanh_opp a : tanh (- a) = - tanh a.
Proof. rewrite !tanh_sigma; replace (2 * - a) with (- (2 * a)) by ring; rewrite sigma_opp; ring. Qed.

Lemma tanh_zero : tanh 0 = 0.
Proof. rewrite tanh_sigma, Rmult_0_r, sigma_zero; field. Qed.

Lemma tanh_abs a : Rabs (tanh a) = tanh (Rabs a).
Proof.
unfold Rabs at 2; destruct (Rcase_abs a) as [h|h].
- rewrite tanh_opp; apply Rabs_left1; rewrite <- tanh_zero; apply tanh_le; lra.
- apply Rabs_pos_eq; rewrite <- tanh_zero; apply tanh_le; lra.
Qed.

Lemma tanh_abs_le a b : Rabs a <= b -> Rabs (tanh a) <= tanh b.
Proof. rewrite tanh_abs; apply tanh_le. Qed.

Theorem tanh'_range a : 0 < 1 - tanh a ^ 2 <= 1.
Proof. pose proof (tanh_range a); pose proof (pow2_ge_0 (tanh a)); split; nra. Qed.

Lemma tanh'_abs_le1 a : Rabs (1 - tanh a ^ 2) <= 1.
Proof. pose proof (tanh'_range a); apply Rabs_le; lra. Qed.

Theorem tanh'_zero : 1 - tanh 0 ^ 2 = 1.
Proof. rewrite tanh_zero; ring. Qed.
