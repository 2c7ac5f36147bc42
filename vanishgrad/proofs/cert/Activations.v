(** tanh, the logistic function, the identity and the ramp: their derivatives, and how large those are.

    sup |tanh'| = sup |id'| = sup |ramp'| = 1 and sup |sigma'| = 1/4; the ramp has no derivative at 0. *)
From Coq Require Import Reals Lra.
Local Open Scope R_scope.

Definition sigma a := / (1 + exp (- a)).
Definition sigma' a := sigma a * (1 - sigma a).
Definition tanh' a := 1 - tanh a ^ 2.

Lemma sigma_range a : 0 < sigma a < 1.
Proof.
unfold sigma. pose proof (exp_pos (- a)). split; [apply Rinv_0_lt_compat; lra|].
rewrite <- Rinv_1. apply Rinv_lt_contravar; lra.
Qed.

Lemma sigma_opp a : sigma (- a) = 1 - sigma a.
Proof.
unfold sigma. rewrite Ropp_involutive, exp_Ropp. pose proof (exp_pos a). field. split; lra.
Qed.

Lemma sigma_increasing a b : a <= b -> sigma a <= sigma b.
Proof.
intros h. unfold sigma. pose proof (exp_pos (- a)); pose proof (exp_pos (- b)).
apply Rinv_le_contravar; [lra|]. apply Rplus_le_compat_l.
destruct (Req_dec a b) as [->|ne]; [lra|]. left; apply exp_increasing; lra.
Qed.

Lemma sigma_derive a : derivable_pt_lim sigma a (sigma' a).
Proof.
unfold sigma'.
pose proof (exp_pos (- a)).
replace (sigma a * (1 - sigma a))
  with ((0 * (1 + exp (- a)) - (0 + exp (- a) * (Ropp 1)) * 1) / Rsqr (1 + exp (- a)))
  by (unfold sigma, Rsqr; field; lra).
apply derivable_pt_lim_ext with (fct_cte 1 / (fct_cte 1 + comp exp (- id)))%F.
- intros x. unfold sigma, div_fct, plus_fct, comp, opp_fct, fct_cte, id. pose proof (exp_pos (- x)). field; lra.
- apply (derivable_pt_lim_div (fct_cte 1) (fct_cte 1 + comp exp (- id))%F a 0 (0 + exp (- a) * Ropp 1));
    [apply derivable_pt_lim_const| |].
  + apply derivable_pt_lim_plus; [apply derivable_pt_lim_const|].
    apply derivable_pt_lim_comp; [|exact (derivable_pt_lim_exp (- a))].
    apply derivable_pt_lim_opp, derivable_pt_lim_id.
  + unfold plus_fct, comp, opp_fct, fct_cte, id; lra.
Qed.

Lemma sigma_slope s : 0 <= s <= 1 -> Rabs (s * (1 - s)) <= / 4.
Proof. intros h. pose proof (pow2_ge_0 (s - / 2)). rewrite Rabs_pos_eq; nra. Qed.

(** tanh a = 2 sigma(2a) - 1: so every bound of tanh is one of sigma. *)
Lemma tanh_sigma a : tanh a = 2 * sigma (2 * a) - 1.
Proof.
unfold tanh, sinh, cosh, sigma. replace (- (2 * a)) with (- a + - a) by ring. rewrite exp_plus.
pose proof (exp_pos a); pose proof (exp_pos (- a)).
assert (E : exp a * exp (- a) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
assert (0 < 1 + exp (- a) * exp (- a)) by nra.
assert (Q : (exp a - exp (- a)) * (1 + exp (- a) * exp (- a)) = (1 - exp (- a) * exp (- a)) * (exp a + exp (- a))).
{ replace ((exp a - exp (- a)) * (1 + exp (- a) * exp (- a)))
    with (exp a - exp (- a) + (exp a * exp (- a)) * exp (- a) - exp (- a) * exp (- a) * exp (- a)) by ring.
  replace ((1 - exp (- a) * exp (- a)) * (exp a + exp (- a)))
    with (exp a + exp (- a) - (exp a * exp (- a)) * exp (- a) - exp (- a) * exp (- a) * exp (- a)) by ring.
  rewrite E; ring. }
apply (Rmult_eq_reg_r ((exp a + exp (- a)) * (1 + exp (- a) * exp (- a)))); [|nra].
replace ((exp a - exp (- a)) / 2 / ((exp a + exp (- a)) / 2) * ((exp a + exp (- a)) * (1 + exp (- a) * exp (- a))))
  with ((exp a - exp (- a)) * (1 + exp (- a) * exp (- a))) by (field; lra).
rewrite Q. field; lra.
Qed.

Lemma tanh_range a : -1 < tanh a < 1.
Proof. rewrite tanh_sigma. pose proof (sigma_range (2 * a)); lra. Qed.

Lemma tanh_opp a : tanh (- a) = - tanh a.
Proof. rewrite !tanh_sigma. replace (2 * - a) with (- (2 * a)) by ring. rewrite sigma_opp; ring. Qed.

Lemma tanh_increasing a b : a <= b -> tanh a <= tanh b.
Proof. intros h. rewrite !tanh_sigma. pose proof (sigma_increasing (2 * a) (2 * b)); lra. Qed.

Lemma tanh_abs a : Rabs (tanh a) = tanh (Rabs a).
Proof.
assert (Z : tanh 0 = 0) by (unfold tanh, sinh; rewrite Ropp_0; field; unfold cosh; rewrite Ropp_0, exp_0; lra).
unfold Rabs at 2. destruct (Rcase_abs a).
- rewrite tanh_opp. apply Rabs_left1. rewrite <- Z. apply tanh_increasing; lra.
- apply Rabs_pos_eq. rewrite <- Z. apply tanh_increasing; lra.
Qed.

Lemma tanh_derive a : derivable_pt_lim tanh a (tanh' a).
Proof.
unfold tanh'.
apply derivable_pt_lim_ext with (fct_cte 2 * comp sigma (fct_cte 2 * id) - fct_cte 1)%F.
- intros x. unfold minus_fct, mult_fct, comp, fct_cte, id. now rewrite tanh_sigma.
- set (s := sigma (2 * a)).
  replace (1 - tanh a ^ 2) with (0 * s + 2 * (sigma' (2 * a) * (0 * a + 2 * 1)) - 0)
    by (unfold sigma'; rewrite tanh_sigma; fold s; ring).
  apply derivable_pt_lim_minus; [|apply derivable_pt_lim_const].
  apply derivable_pt_lim_mult; [apply derivable_pt_lim_const|].
  apply derivable_pt_lim_comp; [|exact (sigma_derive (2 * a))].
  apply derivable_pt_lim_mult; [apply derivable_pt_lim_const|apply derivable_pt_lim_id].
Qed.

Lemma tanh_slope y : -1 <= y <= 1 -> Rabs (1 - y ^ 2) <= 1.
Proof. intros h. rewrite Rabs_pos_eq; nra. Qed.

(** * The ramp max(a, 0): its derivative is 0 on the left, 1 on the right, and there is none at 0. *)

Definition ramp a := Rmax a 0.
Definition ramp' a := if Rlt_dec 0 a then 1 else 0.

Lemma ramp_derive a : a <> 0 -> derivable_pt_lim ramp a (ramp' a).
Proof.
intros h. unfold ramp'. intros eps he.
assert (P : 0 < Rabs a) by now apply Rabs_pos_lt.
exists (mkposreal _ P); intros d hd hlt; simpl in hlt. unfold ramp.
apply Rabs_def2 in hlt. destruct (Rlt_dec 0 a) as [pa|na].
- rewrite (Rabs_pos_eq a) in hlt by lra.
  rewrite !Rmax_left by lra. replace ((a + d - a) / d - 1) with 0 by (field; easy). now rewrite Rabs_R0.
- rewrite (Rabs_left a) in hlt by lra.
  rewrite !Rmax_right by lra. replace ((0 - 0) / d - 0) with 0 by (field; easy). now rewrite Rabs_R0.
Qed.

Lemma ramp_slope a : Rabs (ramp' a) <= 1.
Proof. unfold ramp'; destruct (Rlt_dec 0 a); [rewrite Rabs_R1|rewrite Rabs_R0]; lra. Qed.
