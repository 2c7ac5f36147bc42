(* T8: which forget bias remembers for T steps.

   (i)   T8_bias.  sigma b = 1 - 1/T if and only if b = ln (T - 1).
   (ii)  T8_retention.  (1 - 1/T)^T increases in T, lies in [1/4, 1/e) for T >= 2, and tends to 1/e.
   (iii) T8_optimal.  Among leaky cells, whose input gate is 1 - f, the response at lag T - 1,
         (1 - f) f^(T-1) with f = sigma b, is at most (1/T) (1 - 1/T)^(T-1), and it equals that only
         for b = ln (T - 1): the chrono bias is the unique optimum.
   (iv)  T8_lag.  Counted by the lag T itself, the optimum is b = ln T.
   (vii) T8_guarantee.  The gate keeps at least q^T over T steps, 0 < q < 1, if and only if
         b >= ln (q / (1 - q)). *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Scalars Exponential.
Local Open Scope R_scope.

Lemma pow_lt_compat a b n : 0 <= a -> a < b -> (0 < n)%nat -> a ^ n < b ^ n.
Proof.
intros ha hb hn; destruct n as [|n]; [lia|clear hn]; induction n as [|n IH]; [simpl; lra|].
change (a * a ^ S n < b * b ^ S n); assert (0 <= a ^ S n) by now apply pow_le.
nra.
Qed.

Theorem T8_bias b T : 1 < T -> (sigma b = 1 - / T <-> b = ln (T - 1)).
Proof.
intros hT; rewrite sigma_tau; split; intros h.
- assert (e : 1 + exp b = T).
  { rewrite <- (Rinv_inv T), <- (Rinv_inv (1 + exp b)); f_equal; lra. }
  rewrite <- e; replace (1 + exp b - 1) with (exp b) by ring; now rewrite ln_exp.
- rewrite h, exp_ln by lra; f_equal; f_equal; ring.
Qed.

Definition retention T := (1 - / INR T) ^ T.

Lemma inv_INR T : (1 <= T)%nat -> 0 < / INR T <= 1.
Proof.
intros hT; apply (le_INR 1) in hT; simpl in hT.
split; [apply Rinv_0_lt_compat; lra|rewrite <- Rinv_1; apply Rinv_le_contravar; lra].
Qed.

(* With t = T:  (1 - 1/t)^T (1 + 1/t)^(T+1) = (1 - 1/t^2)^T (1 + 1/t) <= (1 - 1/t^4)^T <= 1. *)
Theorem T8_increasing T : (1 <= T)%nat -> retention T <= retention (S T).
Proof.
intros hT; unfold retention; pose proof (inv_INR T hT) as [i0 i1].
set (i := / INR T) in *; assert (Ti : INR T * i = 1) by (apply Rinv_r, not_0_INR; lia).
assert (next : 1 - / INR (S T) = / (1 + i)).
{ assert (0 < INR T) by (apply lt_0_INR; lia); unfold i; rewrite S_INR; field; lra. }
rewrite next, pow_inv.
assert (up : 1 + i <= (1 + i * i) ^ T).
{ replace (1 + i) with (1 - INR T * - (i * i)) by (ring [Ti]).
  replace (1 + i * i) with (1 - - (i * i)) by ring; apply bernoulli; nra. }
assert (prod : (1 - i) ^ T * (1 + i) ^ T * (1 + i * i) ^ T <= 1).
{ rewrite <- !Rpow_mult_distr; apply pow_in01.
  assert (i * i <= 1) by nra; split; [|nra].
  replace ((1 - i) * (1 + i) * (1 + i * i)) with (1 - (i * i) * (i * i)) by ring; nra. }
assert (pos : 0 < (1 + i) ^ T) by (apply pow_lt; lra).
assert (0 <= (1 - i) ^ T * (1 + i) ^ T) by (apply Rmult_le_pos; [apply pow_le|]; lra).
apply (Rmult_le_reg_r ((1 + i) ^ S T)); [simpl; nra|].
rewrite Rinv_l by (simpl; nra); simpl; nra.
Qed.

Lemma retention_lower T : (2 <= T)%nat -> 1 / 4 <= retention T.
Proof.
induction 1 as [|T hT IH]; [unfold retention; simpl; lra|].
eapply Rle_trans; [apply IH|apply T8_increasing; lia].
Qed.

Lemma retention_upper T : (1 <= T)%nat -> retention T < / exp 1.
Proof.
intros hT; pose proof (inv_INR T hT) as [i0 i1]; unfold retention.
replace (/ exp 1) with (exp (- / INR T) ^ T).
2: { rewrite <- exp_pow, <- exp_Ropp; f_equal; field; apply not_0_INR; lia. }
apply pow_lt_compat; [lra| |lia].
apply exp_ineq1; lra.
Qed.

(* 1/(1 - 1/T) = 1 + 1/(T-1) <= e^(1/(T-1)) *)
Lemma retention_near T : (1 <= T)%nat -> / exp 1 * (1 - / INR (S T)) <= retention (S T).
Proof.
intros hT; unfold retention; pose proof (inv_INR T hT) as [i0 i1].
set (i := / INR T) in *; assert (Ti : INR T * i = 1) by (apply Rinv_r, not_0_INR; lia).
assert (next : 1 - / INR (S T) = / (1 + i)).
{ assert (0 < INR T) by (apply lt_0_INR; lia); unfold i; rewrite S_INR; field; lra. }
rewrite next, Rmult_comm; simpl; apply Rmult_le_compat_l.
{ left; apply Rinv_0_lt_compat; lra. }
rewrite pow_inv; apply Rinv_le_contravar; [apply pow_lt; lra|].
replace (exp 1) with (exp (INR T * i)) by now rewrite Ti.
apply growth_le_exp; lra.
Qed.

Theorem T8_retention T : (2 <= T)%nat -> 1 / 4 <= (1 - / INR T) ^ T < / exp 1.
Proof. intros hT; split; [now apply retention_lower|apply retention_upper; lia]. Qed.

Theorem T8_limit : is_lim_seq retention (/ exp 1).
Proof.
apply is_lim_seq_incr_1.
apply (is_lim_seq_le_le_loc (fun T => / exp 1 * (1 - / INR (S T))) _ (fun _ => / exp 1)).
- exists 1%nat; intros T hT; split; [now apply retention_near|left; apply retention_upper; lia].
- evar_last.
  + apply is_lim_seq_mult'; [apply is_lim_seq_const|].
    apply is_lim_seq_minus'; [apply is_lim_seq_const|].
    apply (is_lim_seq_incr_1 (fun T => / INR T)).
    apply (is_lim_seq_inv INR p_infty); [apply is_lim_seq_INR|easy].
  + simpl; f_equal; ring.
- apply is_lim_seq_const.
Qed.

(* The inequality of the means for one number m+1 - m r and m numbers r, by induction:
   g_(m+1) = g_m + (m+1) r^m (1 - r)^2 for g_m = 1 - (m+1) r^m + m r^(m+1). *)
Lemma means m r : 0 <= r -> (1 - r) ^ 2 <= 1 - (INR (S m) + 1 - INR (S m) * r) * r ^ S m.
Proof.
intros r0; induction m as [|m IH]; [simpl; lra|].
assert (0 <= r ^ S m) by now apply pow_le.
assert (0 <= INR (S (S m)) * (r ^ S m * (1 - r) ^ 2)).
{ apply Rmult_le_pos; [apply pos_INR|apply Rmult_le_pos; [easy|apply pow2_ge_0]]. }
rewrite (S_INR (S m)) in *; change (r ^ S (S m)) with (r * r ^ S m); nra.
Qed.

Definition leaky_response T b := (1 - sigma b) * sigma b ^ (T - 1).

(* With f = (1 - 1/T) r, the response is its value at r = 1 times (T - (T-1) r) r^(T-1). *)
Theorem T8_optimal T b : (2 <= T)%nat ->
  leaky_response T b <= / INR T * (1 - / INR T) ^ (T - 1) /\
  (leaky_response T b = / INR T * (1 - / INR T) ^ (T - 1) <-> b = ln (INR T - 1)).
Proof.
intros hT; assert (t2 : 1 < INR T) by (apply (lt_INR 1); lia).
rewrite <- (T8_bias b) by easy; unfold leaky_response.
destruct T as [|[|m]]; try lia; replace (S (S m) - 1)%nat with (S m) by lia.
assert (m1 : INR (S m) = INR (S (S m)) - 1) by (rewrite (S_INR (S m)); ring).
set (t := INR (S (S m))) in *; set (best := 1 - / t).
assert (b0 : 0 < best).
{ unfold best; assert (/ t < / 1) by (apply Rinv_lt_contravar; lra); lra. }
set (r := sigma b / best); assert (er : sigma b = best * r) by (unfold r; field; lra).
assert (r0 : 0 <= r).
{ pose proof (sigma_range b); apply Rmult_le_pos; [|left; apply Rinv_0_lt_compat]; lra. }
pose proof (means m r r0) as g; rewrite m1 in g.
set (gain := (t - 1 + 1 - (t - 1) * r) * r ^ S m) in *.
set (top := / t * best ^ S m).
assert (top0 : 0 < top) by (apply Rmult_lt_0_compat; [apply Rinv_0_lt_compat; lra|now apply pow_lt]).
assert (e : (1 - sigma b) * sigma b ^ S m = top * gain).
{ unfold top, gain; rewrite er, Rpow_mult_distr.
  replace (1 - best * r) with (/ t * (t - 1 + 1 - (t - 1) * r)) by (unfold best; field; lra); ring. }
rewrite e; pose proof (pow2_ge_0 (1 - r)); split; [nra|split; intros h].
- assert (gain = 1) by nra; assert (r1 : r = 1) by nra; rewrite er, r1; ring.
- assert (r1 : r = 1) by (unfold r; rewrite h; field; lra).
  unfold gain; rewrite r1, pow1; ring.
Qed.

Corollary T8_lag T b : (1 <= T)%nat ->
  let response b := (1 - sigma b) * sigma b ^ T in
  response b <= response (ln (INR T)) /\ (response b = response (ln (INR T)) <-> b = ln (INR T)).
Proof.
intros hT response; assert (opt : forall b, response b = leaky_response (S T) b).
{ intros; unfold response, leaky_response; now replace (S T - 1)%nat with T by lia. }
rewrite !opt; destruct (T8_optimal (S T) b ltac:(lia)) as [le eq].
destruct (T8_optimal (S T) (ln (INR T)) ltac:(lia)) as [_ [_ top]].
rewrite (S_INR T) in *; replace (INR T + 1 - 1) with (INR T) in * by ring.
now rewrite top.
Qed.

Theorem T8_guarantee q b T : (1 <= T)%nat -> 0 < q < 1 ->
  (q ^ T <= sigma b ^ T <-> ln (q / (1 - q)) <= b).
Proof.
intros hT hq; assert (q' : 0 < q / (1 - q)) by (apply Rdiv_lt_0_compat; lra).
assert (eq : sigma (ln (q / (1 - q))) = q) by (rewrite sigma_tau, exp_ln by easy; field; lra).
split; intros h.
- apply Rnot_lt_le; intros lt; apply sigma_incr in lt; rewrite eq in lt.
  pose proof (sigma_range b); assert (sigma b ^ T < q ^ T); [apply pow_lt_compat; [lra|easy|lia]|lra].
- apply sigma_le in h; rewrite eq in h; apply pow_incr; lra.
Qed.
