(* R26: an open forget gate is not enough.

   One LSTM unit with U_g = -2, b_f = 3, b_o = 2, everything else 0, no input, started at rest.  Its forget
   gate stands at sigma 3 = 0.95 throughout, so that its conveyor keeps sigma 3^T; but each step the
   detour through h takes sigma 2 away again:

      dc_T / dc_0 = sigma 3 (sigma 3 - sigma 2)^(T-1).

   The quotient of the two tends to 0, exponentially.  At T = 30 the conveyor keeps more than 0.23, the
   memory less than 1e-33. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential Lstm LstmMemory AtRest.
Local Open Scope R_scope.

Definition restless := self_fed (-2) 0 3 2.

Lemma dc_closed T : dc_unit (-2) 0 3 2 (still, one) (S T) = sigma 3 * (sigma 3 - sigma 2) ^ T.
Proof.
induction T as [|T IH]; rewrite unit_cell, sigma_zero.
- unfold dc_unit, dh_unit, dc_at, dh_at, one, still; simpl; field.
- rewrite unit_hidden, IH; simpl; field.
Qed.

Theorem R26_gradient T : is_derive (fun y => c_at restless (S T) (still, fun _ => y) 0%nat) 0
  (sigma 3 * (sigma 3 - sigma 2) ^ T).
Proof.
rewrite <- dc_closed; apply (T4_run restless (S T) (fun _ => still) (fun y _ => y) 0 still one).
- apply still_velocity.
- intros i; exact (is_derive_id (K:=R_AbsRing) 0).
Qed.

Theorem R26_conveyor T : conveyor restless T rest one 0%nat = sigma 3 ^ T.
Proof.
induction T as [|T IH]; [easy|]; simpl; unfold actF; rewrite IH; f_equal; apply at_bias.
Qed.

Theorem R26_not_enough : is_lim_seq (fun T => sigma 3 * (sigma 3 - sigma 2) ^ T / sigma 3 ^ S T) 0.
Proof.
assert (f0 : 0 < sigma 3 < 1) by apply sigma_range; assert (o0 : 0 < sigma 2 < 1) by apply sigma_range.
assert (fo : sigma 2 < sigma 3) by (apply sigma_incr; lra).
apply is_lim_seq_ext with (fun T => ((sigma 3 - sigma 2) / sigma 3) ^ T).
- intros T; unfold Rdiv; rewrite Rpow_mult_distr, pow_inv; simpl; field.
  split; [apply pow_nonzero|]; lra.
- apply is_lim_seq_geom; rewrite Rabs_pos_eq by (apply Rmult_le_pos; [|left; apply Rinv_0_lt_compat]; lra).
  apply (Rmult_lt_reg_r (sigma 3)); [lra|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
Qed.

Theorem R26_at_30 : sigma 3 * (sigma 3 - sigma 2) ^ 29 < / 10 ^ 33 /\ 0.23 < sigma 3 ^ 30.
Proof.
pose proof sigma_two; destruct (sigma_nat 3) as [lo3 hi3]; simpl in lo3, hi3.
replace (1 + 1 + 1) with 3 in * by ring.
assert (s3 : 0.9524 < sigma 3 < 0.9526) by lra.
assert (gap : 0 < sigma 3 - sigma 2) by (pose proof (sigma_incr 2 3); lra).
split.
- apply Rlt_trans with (1 * (sigma 3 - sigma 2) ^ 29).
  + apply Rmult_lt_compat_r; [now apply pow_lt|lra].
  + apply Rle_lt_trans with (1 * 0.072 ^ 29); [|simpl; lra].
    apply Rmult_le_compat_l; [lra|apply pow_incr; lra].
- apply Rlt_le_trans with (0.9524 ^ 30); [simpl; lra|apply pow_incr; lra].
Qed.
