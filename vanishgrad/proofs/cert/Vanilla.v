(** The activations of the vanilla RNN as certificates name them. *)
From Coq Require Import Reals Lra.
From VG.cert Require Import Activations.
Local Open Scope R_scope.

Definition everywhere (_ : R) := True.
Definition off_zero (a : R) := a <> 0.
Definition identity (a : R) := a.

Definition identity' (_ : R) := 1.

Lemma tanh_smooth a : everywhere a -> derivable_pt_lim tanh a (tanh' a).
Proof. intros _; apply tanh_derive. Qed.
Lemma sigma_smooth a : everywhere a -> derivable_pt_lim sigma a (sigma' a).
Proof. intros _; apply sigma_derive. Qed.
Lemma identity_smooth a : everywhere a -> derivable_pt_lim identity a (identity' a).
Proof. intros _; apply derivable_pt_lim_id. Qed.
Lemma ramp_smooth a : off_zero a -> derivable_pt_lim ramp a (ramp' a).
Proof. apply ramp_derive. Qed.

Lemma tanh_steepness a : Rabs (tanh' a) <= / 2 ^ 0.
Proof. rewrite pow_O, Rinv_1. apply tanh_slope. pose proof (tanh_range a); lra. Qed.
Lemma sigma_steepness a : Rabs (sigma' a) <= / 2 ^ 2.
Proof.
replace (/ 2 ^ 2) with (/ 4) by (simpl; field). apply sigma_slope. pose proof (sigma_range a); lra.
Qed.
Lemma identity_steepness a : Rabs (identity' a) <= / 2 ^ 0.
Proof. rewrite pow_O, Rinv_1. unfold identity'; rewrite Rabs_R1; lra. Qed.
Lemma ramp_steepness a : Rabs (ramp' a) <= / 2 ^ 0.
Proof. rewrite pow_O, Rinv_1. apply ramp_slope. Qed.
