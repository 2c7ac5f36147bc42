(* Bounds of powers and of the exponential by rational numbers.

   Bernoulli: 1 - n t <= (1 - t)^n for t <= 1, and (1 + t)^n <= e^(n t) for t >= -1.  For 0 <= x <= 1 the
   Taylor polynomial of degree 5 is a lower bound of e^x, and an upper bound once x^6 / 600 is added;
   hence 2.7166 < e < 2.7184 and e^(1/4) < 1.2841, and so bounds of sigma n, tanh (1/2) and tanh 1. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Scalars.
Local Open Scope R_scope.

Lemma exp_ge1 t : 1 + t <= exp t.
Proof. destruct (Req_dec t 0) as [->|h]; [rewrite exp_0; lra|left; now apply exp_ineq1]. Qed.

(* e^t <= 1 / (1 - t) *)
Lemma exp_le_inv t : exp t * (1 - t) <= 1.
Proof.
apply Rle_trans with (exp t * exp (- t)).
- apply Rmult_le_compat_l; [left; apply exp_pos|apply exp_ge1].
- rewrite <- exp_plus, Rplus_opp_r, exp_0; lra.
Qed.

Lemma exp_pow n t : exp (INR n * t) = exp t ^ n.
Proof.
induction n as [|n IH]; [simpl; rewrite Rmult_0_l; apply exp_0|].
rewrite S_INR, Rmult_plus_distr_r, Rmult_1_l, exp_plus, IH; simpl; ring.
Qed.

Lemma pow_in01 t n : 0 <= t <= 1 -> 0 <= t ^ n <= 1.
Proof.
intros h; split; [now apply pow_le|]; rewrite <- (pow1 n); now apply pow_incr.
Qed.

Lemma bernoulli t n : t <= 1 -> 1 - INR n * t <= (1 - t) ^ n.
Proof.
intros ht; induction n as [|n IH]; [simpl; lra|].
assert (0 <= INR n * (t * t)) by (apply Rmult_le_pos; [apply pos_INR|nra]).
rewrite S_INR; simpl; nra.
Qed.

Lemma growth_le_exp t n : -1 <= t -> (1 + t) ^ n <= exp (INR n * t).
Proof.
intros ht; rewrite exp_pow; apply pow_incr; split; [lra|apply exp_ge1].
Qed.

(* q exp(-x) falls where q' <= q and rises where q' >= q. *)
Lemma exp_compare q q' a : 0 <= a -> q 0 = 1 -> (forall x, is_derive q x (q' x)) ->
  exists x, 0 <= x <= a /\ q a - exp a = (q' x - q x) * (a * exp (a - x)).
Proof.
intros a0 q0 dq.
destruct (MVT_gen (fun x => q x * exp (- x)) 0 a (fun x => (q' x - q x) * exp (- x)))
  as (x & hx & e).
- intros x _; evar_last; [apply (is_derive_mult q (fun y => exp (- y)) x (q' x) (- exp (- x)))|].
  + apply dq.
  + auto_derive; [easy|ring].
  + intros; apply Rmult_comm.
  + unfold plus, mult; simpl; ring.
- intros x _; apply continuity_pt_mult.
  + apply continuity_pt_filterlim, (ex_derive_continuous q); exists (q' x); apply dq.
  + apply derivable_continuous_pt; exists (- exp (- x)).
    apply is_derive_Reals; auto_derive; [easy|ring].
- rewrite Rmin_left, Rmax_right in hx by easy; exists x; split; [easy|].
  rewrite Ropp_0, exp_0, q0 in e; unfold Rminus at 3; rewrite exp_plus.
  assert (ea : exp (- a) * exp a = 1) by (rewrite <- exp_plus, Rplus_opp_l; apply exp_0).
  replace (q a - exp a) with ((q a * exp (- a) - 1 * 1) * exp a)
    by (ring_simplify; rewrite Rmult_assoc, ea; ring).
  rewrite e; ring.
Qed.

Definition taylor5 x := 1 + x + x ^ 2 / 2 + x ^ 3 / 6 + x ^ 4 / 24 + x ^ 5 / 120.
Definition taylor4 x := 1 + x + x ^ 2 / 2 + x ^ 3 / 6 + x ^ 4 / 24.

Theorem exp_taylor x : 0 <= x <= 1 -> taylor5 x <= exp x <= taylor5 x + x ^ 6 / 600.
Proof.
intros hx; split.
- destruct (exp_compare taylor5 taylor4 x) as (y & hy & e); [lra|unfold taylor5; field| |].
  + intros y; unfold taylor5, taylor4; auto_derive; [easy|field].
  + pose proof (exp_pos (x - y)); assert (0 <= y ^ 5) by (apply pow_le; lra).
    assert (taylor4 y - taylor5 y <= 0) by (unfold taylor4, taylor5; lra).
    assert (0 <= x * exp (x - y)) by (apply Rmult_le_pos; lra); nra.
- destruct (exp_compare (fun y => taylor5 y + y ^ 6 / 600) (fun y => taylor4 y + y ^ 5 / 100) x)
    as (y & hy & e); [lra|unfold taylor5; field| |].
  + intros y; unfold taylor5, taylor4; auto_derive; [easy|field].
  + pose proof (exp_pos (x - y)); assert (0 <= y ^ 5) by (apply pow_le; lra).
    assert (0 <= taylor4 y + y ^ 5 / 100 - (taylor5 y + y ^ 6 / 600)).
    { unfold taylor4, taylor5; replace (y ^ 6) with (y ^ 5 * y) by ring; nra. }
    assert (0 <= x * exp (x - y)) by (apply Rmult_le_pos; lra); nra.
Qed.

Lemma e_range : 27166 / 10000 < exp 1 < 27184 / 10000.
Proof. destruct (exp_taylor 1); unfold taylor5 in *; lra. Qed.

Lemma exp_quarter : exp (1 / 4) < 12841 / 10000.
Proof. destruct (exp_taylor (1 / 4)); unfold taylor5 in *; lra. Qed.

Lemma sigma_nat n : let s e := 1 - / (1 + e ^ n) in
  s (27166 / 10000) <= sigma (INR n) <= s (27184 / 10000).
Proof.
assert (e : exp (INR n) = exp 1 ^ n) by (rewrite <- exp_pow, Rmult_1_r; easy).
destruct e_range as [lo hi]; rewrite sigma_tau, e; split; apply Rplus_le_compat_l, Ropp_le_contravar;
  (apply Rinv_le_contravar; [pose proof (pow_le (exp 1) n); pose proof (pow_le (27166 / 10000) n); lra|]);
  apply Rplus_le_compat_l, pow_incr; lra.
Qed.

Lemma tanh_half : 0 <= tanh (1 / 2) <= 0.4622.
Proof.
destruct (sigma_nat 1) as [lo hi]; simpl in lo, hi.
rewrite tanh_sigma; replace (2 * (1 / 2)) with 1 by field; lra.
Qed.

Lemma tanh_one : 0 <= tanh 1 <= 0.7617.
Proof.
destruct (sigma_nat 2) as [lo hi]; simpl in lo, hi; replace (1 + 1) with 2 in * by ring.
rewrite tanh_sigma, Rmult_1_r; lra.
Qed.

Lemma sigma_two : 0.8806 <= sigma 2.
Proof.
destruct (sigma_nat 2) as [lo _]; simpl in lo; replace (1 + 1) with 2 in * by ring; lra.
Qed.

Lemma tanh_just_above_half : tanh 0.5003 <= 0.4625.
Proof.
destruct e_range as [_ hi]; rewrite tanh_sigma, sigma_tau.
replace (2 * 0.5003) with (1 + 0.0006) by lra; rewrite exp_plus.
pose proof (exp_le_inv 0.0006); pose proof (exp_pos 1); pose proof (exp_pos 0.0006).
assert (e : exp 1 * exp 0.0006 <= 2.7204) by nra.
assert (/ (1 + 2.7204) <= / (1 + exp 1 * exp 0.0006)); [|lra].
apply Rinv_le_contravar; [nra|lra].
Qed.
