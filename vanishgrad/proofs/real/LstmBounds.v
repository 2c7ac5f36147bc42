(* T5 (d): bounds of the LSTM's Jacobian from its weights and gates, in a weighted max-norm.

   lstm_C_le.  |C| <= a |U_f| + b |U_i| + d |U_g| if a, b, d bound |c| f (1-f), |g| i (1-i), i (1-g^2).
   T5d_kappa.  In particular, where f >= 1 - eps, i <= iota and |c| <= cbar,
               |C| <= cbar eps |U_f| + iota (|U_i| + |U_g|):
   remembering needs both the forget gate open and the input gate closed.
   lstm_O_le, lstm_E_le.  |O| <= |U_o| / 4,  |E| <= eta where o <= eta <= 1.
   T5d_tangent.  So the norms of dc_t and dh_t obey the recursions of Majorants. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars MaxNorm Lstm.
Local Open Scope R_scope.

Lemma Rabs_mul_le a b p q : Rabs a <= p -> Rabs b <= q -> Rabs (a * b) <= p * q.
Proof. intros; rewrite Rabs_mult; apply Rmult_le_compat; try apply Rabs_pos; easy. Qed.

Lemma Rabs_sigma'_le a : Rabs (sigma a * (1 - sigma a)) <= 1 / 4.
Proof. destruct (sigma'_range a); rewrite Rabs_pos_eq; lra. Qed.

Section Bounds.
Variables (N : lstm) (x : vec) (t : nat) (h c : vec).
Hypothesis x_pos : forall i, 0 < x i.
Let n := size N.
Let op U := opnorm n x U.

Theorem lstm_C_le a b d w : 0 <= a -> 0 <= b -> 0 <= d ->
  (forall j, (j < n)%nat -> Rabs (c j * (gate_f N t h j * (1 - gate_f N t h j))) <= a) ->
  (forall j, (j < n)%nat -> Rabs (gate_g N t h j * (gate_i N t h j * (1 - gate_i N t h j))) <= b) ->
  (forall j, (j < n)%nat -> Rabs (gate_i N t h j * (1 - gate_g N t h j ^ 2)) <= d) ->
  norm n x (actC N t h c w) <= (a * op (Uf N) + b * op (Ui N) + d * op (Ug N)) * norm n x w.
Proof.
intros a0 b0 d0 ha hb hd; unfold actC; rewrite !Rmult_plus_distr_r.
eapply Rle_trans; [apply norm_add, x_pos|apply Rplus_le_compat; [|now apply norm_gate]].
eapply Rle_trans; [apply norm_add, x_pos|apply Rplus_le_compat; now apply norm_gate].
Qed.

Theorem T5d_kappa eps iota cbar w : 0 <= eps -> 0 <= iota -> 0 <= cbar ->
  (forall j, (j < n)%nat -> 1 - eps <= gate_f N t h j) ->
  (forall j, (j < n)%nat -> gate_i N t h j <= iota) ->
  (forall j, (j < n)%nat -> Rabs (c j) <= cbar) ->
  norm n x (actC N t h c w) <=
    (cbar * eps * op (Uf N) + iota * (op (Ui N) + op (Ug N))) * norm n x w.
Proof.
intros e0 i0 c0 hf hi hc; rewrite Rmult_plus_distr_l, <- Rplus_assoc.
apply lstm_C_le; try easy; [now apply Rmult_le_pos| | |]; intros j hj.
- apply Rabs_mul_le; [now apply hc|]; pose proof (hf j hj).
  unfold gate_f in *; set (f := sigma _) in *; assert (0 < f < 1) by apply sigma_range.
  rewrite Rabs_pos_eq; nra.
- rewrite <- (Rmult_1_l iota); apply Rabs_mul_le; [apply tanh_abs_le1|]; pose proof (hi j hj).
  unfold gate_i in *; set (i := sigma _) in *; assert (0 < i < 1) by apply sigma_range.
  rewrite Rabs_pos_eq; nra.
- rewrite <- (Rmult_1_r iota); apply Rabs_mul_le; [|apply tanh'_abs_le1].
  rewrite Rabs_pos_eq; [now apply hi|left; apply sigma_range].
Qed.

Theorem lstm_O_le w : norm n x (actO N t h c w) <= op (Uo N) / 4 * norm n x w.
Proof.
unfold actO; replace (op (Uo N) / 4) with (1 / 4 * op (Uo N)) by field.
apply norm_gate; [easy|lra|]; intros j _; rewrite <- (Rmult_1_l (1 / 4)).
apply Rabs_mul_le; [apply tanh_abs_le1|apply Rabs_sigma'_le].
Qed.

Theorem lstm_E_le eta v : 0 <= eta -> (forall j, (j < n)%nat -> gate_o N t h j <= eta) ->
  norm n x (actE N t h c v) <= eta * norm n x v.
Proof.
intros e0 ho; unfold actE; apply norm_diag; [easy|easy|]; intros j hj.
rewrite <- (Rmult_1_r eta); apply Rabs_mul_le; [|apply tanh'_abs_le1].
rewrite Rabs_pos_eq; [now apply ho|left; apply sigma_range].
Qed.

(* dh' = O dh + E dc' *)
Theorem T5d_tangent eta w v : 0 <= eta -> (forall j, (j < n)%nat -> gate_o N t h j <= eta) ->
  norm n x (dh_next N t h c w v)
    <= op (Uo N) / 4 * norm n x w + eta * norm n x (dc_next N t h c w v).
Proof.
intros e0 ho; eapply Rle_trans; [apply norm_add, x_pos|].
apply Rplus_le_compat; [apply lstm_O_le|now apply lstm_E_le].
Qed.
End Bounds.

(* Gates are below 1, so eta = 1 always serves. *)
Lemma gate_o_le1 N t h j : gate_o N t h j <= 1.
Proof. left; apply sigma_range. Qed.

(* The hidden state stays in the unit box. *)
Lemma hidden_bounded N T s : (forall j, Rabs (fst s j) <= 1) -> forall j, Rabs (h_at N T s j) <= 1.
Proof.
intros start; destruct T as [|T]; [exact start|]; intros j; rewrite h_at_S; unfold h_next.
rewrite <- (Rmult_1_l 1); apply Rabs_mul_le; [|apply tanh_abs_le1].
rewrite Rabs_pos_eq; [apply gate_o_le1|left; apply sigma_range].
Qed.

(* Where |h| <= 1, the recurrent drive U h of a gate is at most the row sums of |U|. *)
Lemma recurrent_drive_le n U h j : (j < n)%nat -> (forall i, Rabs (h i) <= 1) ->
  Rabs (mulmx n U h j) <= opnorm n ones U.
Proof.
intros hj hh; eapply Rle_trans; [apply (le_norm (x:=ones) ones_pos n _ j hj)|].
unfold ones at 2; rewrite Rmult_1_r; eapply Rle_trans; [apply norm_mulmx, ones_pos|].
rewrite <- Rmult_1_r; apply Rmult_le_compat_l; [apply opnorm_ge0|].
apply norm_le; [apply ones_pos|lra|]; intros i _; unfold ones; rewrite Rmult_1_l; apply hh.
Qed.
