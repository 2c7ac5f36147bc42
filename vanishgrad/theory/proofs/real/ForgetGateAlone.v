(* R26: an open forget gate is not enough.

   One LSTM unit with U_g = -2, b_f = 3, b_o = 2, everything else 0, no input, started at rest.  Its forget
   gate stands at sigma 3 = 0.95 throughout, so that its conveyor keeps sigma 3^T; but each step the
   detour through h takes sigma 2 away again:

      dc_T / dc_0 = sigma 3 (sigma 3 - sigma 2)^(T-1).

   The quotient of the two tends to 0, exponentially.  At T = 30 the conveyor keeps more than 0.23, the
   memory less than 1e-33. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential Lstm LstmMemory.
Local Open Scope R_scope.

Definition restless := {|
  size := 1; Ui := zero; Uf := zero; Ug := fun _ _ => -2; Uo := zero;
  ui := constant 0; uf := constant 3; ug := constant 0; uo := constant 2 |}.

Definition rest : vec * vec := (still, still).
Definition one : vec := fun _ => 1.

Lemma at_rest t : (forall j, h_at restless t rest j = 0) /\ (forall j, c_at restless t rest j = 0).
Proof.
induction t as [|t [IHh IHc]]; [easy|].
assert (g0 : forall j, gate_g restless (S t) (h_at restless t rest) j = 0).
{ intros j; unfold gate_g, mulmx; simpl; rewrite IHh; rewrite <- tanh_zero; f_equal; unfold constant; ring. }
assert (c0 : forall j, c_at restless (S t) rest j = 0).
{ intros j; rewrite c_at_S; unfold c_next; rewrite IHc, g0; ring. }
split; [|exact c0]; intros j; rewrite h_at_S; unfold h_next; rewrite <- c_at_S, c0, tanh_zero; ring.
Qed.

Section Tangent.
Let s := rest.
Let f := sigma 3.
Let o := sigma 2.
Let dc t := dc_at restless t s (still, one) 0%nat.
Let dh t := dh_at restless t s (still, one) 0%nat.

Lemma forget_const t h j : gate_f restless t h j = f.
Proof. unfold gate_f; simpl; rewrite mulmx_zero; unfold f, constant; f_equal; ring. Qed.

Lemma cell_step t : dc (S t) = f * dc t - dh t.
Proof.
destruct (at_rest t) as [h0 c0]; unfold dc; rewrite dc_at_S; unfold dc_next, actF, actC.
rewrite forget_const; fold s; unfold s; rewrite c0.
assert (g0 : gate_g restless (S t) (h_at restless t rest) 0 = 0).
{ unfold gate_g, mulmx; simpl; rewrite h0; rewrite <- tanh_zero; f_equal; unfold constant; ring. }
assert (i0 : gate_i restless (S t) (h_at restless t rest) 0 = 1 / 2).
{ unfold gate_i; simpl; rewrite mulmx_zero, <- sigma_zero; unfold constant; f_equal; ring. }
rewrite g0, i0; unfold dh, s, mulmx; simpl; field.
Qed.

Lemma hidden_step t : dh (S t) = o * dc (S t).
Proof.
destruct (at_rest (S t)) as [h0 c0]; unfold dh, dc; rewrite dh_at_S, dc_at_S; unfold dh_next, actO, actE.
fold s; unfold s; rewrite <- c_at_S, c0, tanh_zero.
assert (o0 : gate_o restless (S t) (h_at restless t rest) 0 = o).
{ unfold gate_o; simpl; rewrite mulmx_zero; unfold o, constant; f_equal; ring. }
rewrite o0; ring.
Qed.

Lemma dc_closed T : dc (S T) = f * (f - o) ^ T.
Proof.
induction T as [|T IH]; [rewrite cell_step; unfold dc, dh, dc_at, dh_at; simpl; unfold one, still; ring|].
rewrite cell_step, hidden_step, IH; simpl; ring.
Qed.

Theorem R26_gradient T :
  is_derive (fun y => c_at restless (S T) (still, fun _ => y) 0%nat) 0 (f * (f - o) ^ T).
Proof.
rewrite <- dc_closed; unfold dc, s, rest.
apply (T4_run restless (S T) (fun _ => still) (fun y _ => y) 0 still one).
- apply still_velocity.
- intros i; exact (is_derive_id (K:=R_AbsRing) 0).
Qed.

Theorem R26_conveyor T : conveyor restless T s one 0%nat = f ^ T.
Proof.
induction T as [|T IH]; [easy|]; simpl; unfold actF; rewrite forget_const, IH; ring.
Qed.

Theorem R26_not_enough : is_lim_seq (fun T => f * (f - o) ^ T / f ^ S T) 0.
Proof.
assert (f0 : 0 < f < 1) by apply sigma_range; assert (o0 : 0 < o < 1) by apply sigma_range.
assert (fo : o < f) by (apply sigma_incr; lra).
apply is_lim_seq_ext with (fun T => ((f - o) / f) ^ T).
- intros T; unfold Rdiv; rewrite Rpow_mult_distr, pow_inv; simpl; field.
  split; [apply pow_nonzero|]; lra.
- apply is_lim_seq_geom; rewrite Rabs_pos_eq by (apply Rmult_le_pos; [|left; apply Rinv_0_lt_compat]; lra).
  apply (Rmult_lt_reg_r f); [lra|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
Qed.
End Tangent.

Theorem R26_at_30 : sigma 3 * (sigma 3 - sigma 2) ^ 29 < / 10 ^ 33 /\ 0.23 < sigma 3 ^ 30.
Proof.
destruct (sigma_nat 2) as [lo2 _]; destruct (sigma_nat 3) as [lo3 hi3]; simpl in lo2, lo3, hi3.
replace (1 + 1) with 2 in * by ring; replace (2 + 1) with 3 in * by ring.
assert (s3 : 0.9524 < sigma 3 < 0.9526) by lra; assert (s2 : 0.8806 < sigma 2) by lra.
assert (gap : 0 < sigma 3 - sigma 2) by (pose proof (sigma_incr 2 3); lra).
split.
- apply Rlt_trans with (1 * (sigma 3 - sigma 2) ^ 29).
  + apply Rmult_lt_compat_r; [now apply pow_lt|lra].
  + apply Rle_lt_trans with (1 * 0.072 ^ 29); [|simpl; lra].
    apply Rmult_le_compat_l; [lra|apply pow_incr; lra].
- apply Rlt_le_trans with (0.9524 ^ 30); [simpl; lra|apply pow_incr; lra].
Qed.
