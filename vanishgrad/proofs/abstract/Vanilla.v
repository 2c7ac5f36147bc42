(* T1.  The vanilla RNN h_t = phi(W h_{t-1} + u_t) has J_t = D_t W with D_t = diag phi'(a_t), and |phi'| <= gamma.

   If ||W|| <= s in a norm for which diagonal matrices stretch by their largest entry, then for every input sequence
   (that is, for all diagonals D_t bounded by gamma) and all k, t

     |J_{t:k} x| <= (gamma s)^(t-k) |x|.

   With a diagonal scaling Delta it is enough that ||Delta W Delta^-1|| <= s, at the price of a factor cond(Delta).
   (i) is the Euclidean norm, (ii) the weighted maximum norm.  If gamma s < 1 the product tends to 0, and (iii) leaving
   all lags beyond l out of a gradient costs at most A (gamma s)^(l+1) / (1 - gamma s). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Powers Seminorm Chain Norms.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* J_{t:k} of the vanilla RNN *)
Notation rnn W d := (chain (fun t => diag_mx (d t) *m W)).

Section AnyNorm.
Variables (R : realDomainType) (n : nat) (N : 'cV[R]_n -> R).
Variables (W : 'M[R]_n) (d : nat -> 'rV[R]_n) (g s : R).
Hypotheses (g0 : 0 <= g) (s0 : 0 <= s) (dg : forall t i, `|d t 0 i| <= g).
Hypothesis N_absolute : absolute N.

Theorem T1_absolute_norm : bounded N N (mulmx W) s ->
  forall t k x, N (rnn W d t k *m x) <= (g * s) ^+ (t - k) * N x.
Proof.
move=> Ws; apply: L0_upper_rate => [|t x]; first exact: mulr_ge0.
by rewrite -mulmxA -mulrA; apply: le_trans (N_absolute g0 (dg t) _) _; rewrite ler_wpmul2l.
Qed.
End AnyNorm.

Section Scaled.
Variables (R : realDomainType) (n : nat) (N : 'cV[R]_n -> R).
Variables (W : 'M[R]_n) (d : nat -> 'rV[R]_n) (g s : R).
Hypotheses (g0 : 0 <= g) (s0 : 0 <= s) (dg : forall t i, `|d t 0 i| <= g).
Hypothesis N_absolute : absolute N.
(* Delta = diag e, Delta^-1 = diag e'; |e_i| <= M, |e'_i| <= m, so that m M >= cond(Delta) *)
Variables (e e' : 'rV[R]_n) (m M : R).
Hypotheses (m0 : 0 <= m) (M0 : 0 <= M) (ee' : forall i, e 0 i * e' 0 i = 1).
Hypotheses (eM : forall i, `|e 0 i| <= M) (e'm : forall i, `|e' 0 i| <= m).

Let inverse : diag_mx e' *m diag_mx e = 1%:M.
Proof.
apply/matrixP=> i j; rewrite mul_diag_mx !mxE.
by case: eqP => [->|_]; rewrite ?mulr1n ?mulr0n ?mulr0 // mulrC ee'.
Qed.

Theorem T1_scaled : bounded N N (mulmx (diag_mx e *m W *m diag_mx e')) s ->
  forall t k x, N (rnn W d t k *m x) <= m * M * (g * s) ^+ (t - k) * N x.
Proof.
move=> Ws t k x; pose NDelta y := N (diag_mx e *m y).
have NDelta_absolute : absolute NDelta.
  by move=> d' c c0 dc y; rewrite /NDelta mulmxA diag_mxC -mulmxA; apply: N_absolute.
have WDelta : bounded NDelta NDelta (mulmx W) s.
  by move=> y; have := Ws (diag_mx e *m y); rewrite -!mulmxA (mulmxA (diag_mx e')) inverse mul1mx.
rewrite -[_ *m x]mul1mx -inverse -mulmxA; apply: le_trans (N_absolute m0 e'm _) _.
rewrite -!mulrA ler_wpmul2l //.
apply: le_trans (T1_absolute_norm g0 s0 dg NDelta_absolute WDelta t k x) _.
by rewrite mulrCA ler_wpmul2l ?exprn_ge0 ?mulr_ge0 ?N_absolute.
Qed.
End Scaled.

(* (i) *)
Theorem T1_vanishing (R : rcfType) n (W : 'M[R]_n) (d : nat -> 'rV_n) g s :
  0 <= g -> 0 <= s -> (forall t i, `|d t 0 i| <= g) ->
  (forall x, euclid R n (W *m x) <= s * euclid R n x) ->
  forall t k x, euclid R n (rnn W d t k *m x) <= (g * s) ^+ (t - k) * euclid R n x.
Proof. by move=> g0 s0 dg; apply: T1_absolute_norm g0 s0 dg (@euclid_absolute R n). Qed.

(* (i) over any ordered field, in squares *)
Theorem T1_squares (R : realFieldType) n (W : 'M[R]_n) (d : nat -> 'rV_n) g s :
  (forall t i, `|d t 0 i| <= g) -> (forall x, sq (W *m x) <= s ^+ 2 * sq x) ->
  forall t k x, sq (rnn W d t k *m x) <= (g * s) ^+ (2 * (t - k)) * sq x.
Proof.
move=> dg Ws t k x; rewrite exprM; move: t k x; apply: L0_upper_rate => [|t x]; first exact: sqr_ge0.
by rewrite -mulmxA exprMn -mulrA; apply: le_trans (sq_diag (dg t) _) _; rewrite ler_wpmul2l ?sqr_ge0.
Qed.

(* (ii) *)
Theorem T1_max_norm (R : realFieldType) n (W : 'M[R]_n) (d : nat -> 'rV_n) (x : 'I_n -> R) g r
    (x0 : forall i, 0 < x i) :
  0 <= r -> (forall t i, `|d t 0 i| <= g) -> (forall i, g * (\sum_j `|W i j| * x j) <= r * x i) ->
  forall t k v, max_norm x0 (rnn W d t k *m v) <= r ^+ (t - k) * max_norm x0 v.
Proof.
move=> r0 dg rows; apply: (L0_upper_rate r0) => t; apply: (max_bounded x0 r0) => i.
apply: le_trans (rows i); rewrite mulr_sumr ler_sum // => j _.
by rewrite mul_diag_mx mxE normrM -mulrA ler_wpmul2r // mulr_ge0 // ltW.
Qed.

(* the same in one line per coordinate *)
Corollary T1_max_norm_entries (R : realFieldType) n (W : 'M[R]_n) (d : nat -> 'rV_n) (x : 'I_n -> R) g r c (v : 'cV_n) :
  (forall i, 0 < x i) -> 0 <= r -> 0 <= c -> (forall t i, `|d t 0 i| <= g) ->
  (forall i, g * (\sum_j `|W i j| * x j) <= r * x i) -> (forall i, `|v i 0| <= c * x i) ->
  forall t k i, `|(rnn W d t k *m v) i 0| <= r ^+ (t - k) * c * x i.
Proof.
move=> x0 r0 c0 dg rows vc t k; have rc : 0 <= r ^+ (t - k) * c by rewrite mulr_ge0 ?exprn_ge0.
apply/(max_lengthP x0 _ rc); apply: le_trans (T1_max_norm x0 r0 dg rows t k v) _.
by rewrite ler_wpmul2l ?exprn_ge0 //; apply/max_lengthP.
Qed.

Theorem T1_limit (R : archiFieldType) n (W : 'M[R]_n) (d : nat -> 'rV_n) g s :
  0 <= g -> 0 <= s -> (forall t i, `|d t 0 i| <= g) -> (forall x, sq (W *m x) <= s ^+ 2 * sq x) -> g * s < 1 ->
  forall x eps, 0 < eps -> exists lag, forall t k, (lag <= t - k)%N -> sq (rnn W d t k *m x) < eps.
Proof.
move=> g0 s0 dg Ws gs x eps eps0; have gs0 := mulr_ge0 g0 s0.
have x1 : 0 < sq x + 1 by rewrite ltr_spaddr ?sq_ge0 ?ltr01.
have q1 : (g * s) ^+ 2 < 1 by rewrite exprn_ilt1.
have [lag small] := L0_power_to_0 (exprn_ge0 2 gs0) q1 (divr_gt0 eps0 x1).
exists lag => t k /small; rewrite ltr_pdivl_mulr // -exprM; apply: le_lt_trans.
by apply: le_trans (T1_squares dg Ws t k x) _; rewrite ler_wpmul2l ?exprn_ge0 // ler_addl ler01.
Qed.

(* (iii): leave out of a sum the terms of all lags j > l, each at most A rho^j *)
Theorem T1_truncation (R : realFieldType) (V : zmodType) (N : seminorm R V) (term : nat -> V) A rho l T :
  0 <= A -> 0 <= rho -> rho < 1 -> (forall j, (j < T)%N -> N (term j) <= A * rho ^+ j) -> (l < T)%N ->
  N (\sum_(0 <= j < T) term j - \sum_(0 <= j < l.+1) term j) <= A * (rho ^+ l.+1 / (1 - rho)).
Proof.
move=> A0 rho0 rho1 small lT; rewrite (@big_cat_nat _ _ _ l.+1) //= addrC addKr.
apply: le_trans (norm_sum _ _ _) _.
apply: le_trans (_ : \sum_(l.+1 <= j < T) A * rho ^+ j <= _).
  by apply: ler_sum_nat => j /andP[_ jT]; apply: small.
by rewrite -mulr_sumr ler_wpmul2l ?L0_geometric_tail.
Qed.

(* dh_t / dtheta is the sum over the lags j of J_{t:t-j} b_{t-j}, where b_k is the direct effect of theta on h_k *)
Corollary T1_truncated_gradient (R : realFieldType) n (N : seminorm R [zmodType of 'cV[R]_n])
    (W : 'M[R]_n) (d : nat -> 'rV_n) (b : nat -> 'cV_n) g s B l t
    (term := fun j => rnn W d t (t - j) *m b (t - j)%N) :
  0 <= g -> 0 <= s -> g * s < 1 -> (forall t i, `|d t 0 i| <= g) -> absolute N -> bounded N N (mulmx W) s ->
  0 <= B -> (forall k, N (b k) <= B) -> (l < t)%N ->
  N (\sum_(0 <= j < t) term j - \sum_(0 <= j < l.+1) term j) <= B * ((g * s) ^+ l.+1 / (1 - g * s)).
Proof.
move=> g0 s0 gs dg N_absolute Ws B0 bB lt; apply: (@T1_truncation _ _ N term) => // [|j jt]; first exact: mulr_ge0.
apply: le_trans (T1_absolute_norm g0 s0 dg N_absolute Ws _ _ _) _.
by rewrite subKn ?(ltnW jt) // mulrC ler_wpmul2r ?exprn_ge0 ?mulr_ge0.
Qed.
