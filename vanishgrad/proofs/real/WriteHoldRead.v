(* T10: write, hold, read.  What an LSTM adds to an integrator.

   One unit, two inputs (signal, key), no recurrent weights, K = ln (20 T), h_0 = c_0 = 0:

     i = sigma (2 K key - K),   f = sigma K,   g = tanh signal,   o = sigma 2.

   At the first step the key is 1, later it is 0.  For every T and all distractors |a t| <= 1 that come later,
   the state at T still moves with the first signal (which stands at 1/2):

     T10_write_hold_read.   d h_T / d signal_1 >= 0.49.

   The size of the net is fixed and its weights grow like ln T.  Compare T3 (c): a contractive network
   cannot hold; and a linear integrator holds but cannot ignore. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential Lstm.
Local Open Scope R_scope.

Definition write_hold_read (K : R) (signal key : nat -> R) := {|
  size := 1; Ui := zero; Uf := zero; Ug := zero; Uo := zero;
  ui := fun t _ => 2 * K * key t - K; uf := constant K; ug := fun t _ => signal t; uo := constant 2 |}.

(* the first input is (y, 1), all others are (a t, 0) *)
Definition signal_of (a : nat -> R) y t := if Nat.eqb t 1 then y else a t.
Definition key_first t := if Nat.eqb t 1 then 1 else 0.

Section Net.
Variables (K : R) (a : nat -> R).
Hypothesis a_box : forall t, Rabs (a t) <= 1.
Let N y := write_hold_read K (signal_of a y) key_first.
Let s := (still, still).
Let c y t := c_at (N y) t s 0%nat.
Let f := sigma K.

Lemma written y : c y 1 = f * tanh y.
Proof.
unfold c; rewrite c_at_S; unfold c_next, gate_f, gate_i, gate_g.
simpl size; simpl Uf; simpl Ui; simpl Ug.
rewrite !mulmx_zero; simpl; unfold key_first, signal_of, still; simpl.
rewrite !Rplus_0_l, Rmult_0_r, Rplus_0_l; f_equal; unfold f; f_equal; ring.
Qed.

Lemma held y t : c y (S (S t)) = f * c y (S t) + (1 - f) * tanh (a (S (S t))).
Proof.
unfold c at 1; rewrite c_at_S; unfold c_next, gate_f, gate_i, gate_g.
simpl size; simpl Uf; simpl Ui; simpl Ug.
rewrite !mulmx_zero, !Rplus_0_l; unfold f; rewrite <- sigma_opp.
unfold c; do 2 f_equal; simpl; unfold key_first; simpl; f_equal; ring.
Qed.

Lemma read y t : h_at (N y) (S t) s 0%nat = sigma 2 * tanh (c y (S t)).
Proof.
rewrite h_at_S; unfold h_next; rewrite <- c_at_S; unfold gate_o; simpl.
now rewrite mulmx_zero, Rplus_0_l.
Qed.

Lemma memory_moves y t : is_derive (fun y => c y (S t)) y (f ^ S t * (1 - tanh y ^ 2)).
Proof.
induction t as [|t IH].
- apply is_derive_ext with (fun y => f * tanh y); [intros; now rewrite written|].
  rewrite pow_1; apply derive_scal, is_derive_tanh.
- apply is_derive_ext with (fun y => f * c y (S t) + (1 - f) * tanh (a (S (S t)))).
  { intros; now rewrite held. }
  rewrite <- tech_pow_Rmult, Rmult_assoc, <- Rplus_0_r.
  apply derive_add; [now apply derive_scal|apply derive_const].
Qed.

Lemma memory_small y t : Rabs (c y (S t)) <= Rabs (tanh y) + INR t * (1 - f) * tanh 1.
Proof.
assert (f01 : 0 < f < 1) by apply sigma_range.
induction t as [|t IH].
- rewrite written, Rabs_mult, Rabs_pos_eq by lra; simpl; pose proof (Rabs_pos (tanh y)); nra.
- rewrite held, S_INR; eapply Rle_trans; [apply Rabs_triang|].
  rewrite !Rabs_mult, (Rabs_pos_eq f), (Rabs_pos_eq (1 - f)) by lra.
  pose proof (tanh_abs_le _ _ (a_box (S (S t)))); pose proof (Rabs_pos (c y (S t))); nra.
Qed.

Lemma state_moves y t : is_derive (fun y => h_at (N y) (S t) s 0%nat) y
  (sigma 2 * ((1 - tanh (c y (S t)) ^ 2) * (f ^ S t * (1 - tanh y ^ 2)))).
Proof.
apply is_derive_ext with (fun y => sigma 2 * tanh (c y (S t))); [intros; now rewrite read|].
apply derive_scal, (derive_comp tanh (fun y => c y (S t))); [apply is_derive_tanh|apply memory_moves].
Qed.
End Net.

Theorem T10_write_hold_read T a : (1 <= T)%nat -> (forall t, Rabs (a t) <= 1) ->
  exists d, 0.49 <= d /\
    is_derive (fun y => h_at (write_hold_read (ln (20 * INR T)) (signal_of a y) key_first) T
                             (still, still) 0%nat) (1 / 2) d.
Proof.
intros hT box; apply (le_INR 1) in hT as T1; simpl in T1.
destruct T as [|t]; [lia|]; set (K := ln (20 * INR (S t))).
eexists; split; [|now apply state_moves].
set (f := sigma K); set (c := c_at _ _ _ _).
assert (ef : 1 - f = / (1 + 20 * INR (S t))).
{ unfold f; rewrite sigma_tau; unfold K; rewrite exp_ln by lra; ring. }
assert (loss : INR (S t) * (1 - f) <= 0.05).
{ rewrite ef; apply (Rmult_le_reg_r (1 + 20 * INR (S t))); [lra|rewrite Rmult_assoc, Rinv_l; lra]. }
assert (f01 : 0 < f < 1) by apply sigma_range.
assert (kept : 0.95 <= f ^ S t).
{ pose proof (bernoulli (1 - f) (S t) ltac:(lra)) as b.
  replace (1 - (1 - f)) with f in b by ring; lra. }
assert (c_le : Rabs c <= 0.5003).
{ pose proof (memory_small K a box (1 / 2) t) as m; fold f in m.
  destruct tanh_half, tanh_one; rewrite (Rabs_pos_eq (tanh (1 / 2))) in m by easy.
  assert (INR t * (1 - f) <= 0.05) by (rewrite S_INR in loss; nra).
  eapply Rle_trans; [exact m|nra]. }
assert (read : 0.786 <= 1 - tanh c ^ 2).
{ pose proof (tanh_abs_le _ _ c_le); pose proof tanh_just_above_half.
  rewrite <- pow2_abs; pose proof (Rabs_pos (tanh c)); nra. }
assert (write : 0.786 <= 1 - tanh (1 / 2) ^ 2) by (destruct tanh_half; nra).
pose proof sigma_two.
assert (0.95 * 0.786 <= f ^ S t * (1 - tanh (1 / 2) ^ 2)) by (apply Rmult_le_compat; lra).
assert (0.786 * (0.95 * 0.786) <= (1 - tanh c ^ 2) * (f ^ S t * (1 - tanh (1 / 2) ^ 2))).
{ apply Rmult_le_compat; lra. }
apply Rle_trans with (0.8806 * (0.786 * (0.95 * 0.786))); [lra|apply Rmult_le_compat; lra].
Qed.
