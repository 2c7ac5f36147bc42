(* T2, the contrapositive of T1.  Let |J_{t:k} x| <= K rho^(t-k) |x| for all t, k, x (T1 proves it with rho = gamma
   ||W|| in any scaling).  If the products are unbounded, then rho > 1.  If some grow at least like C alpha^(t-k), for
   lags as long as one likes, then rho >= alpha.

   Eigenvalues do not decide: W = a [1 -1; 1 -1] has W^2 = 0, yet with D = diag(1, 0) the product (D W)^T grows like
   a^T. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Powers Seminorm Chain Norms Vanilla.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section AnyProducts.
Variables (R : archiFieldType) (X : Type) (N : X -> R) (P : nat -> nat -> X -> X) (K rho : R).
Hypotheses (N0 : forall x, 0 <= N x) (K0 : 0 <= K) (rho0 : 0 <= rho).
Hypothesis upper : forall t k x, N (P t k x) <= K * rho ^+ (t - k) * N x.

Theorem T2_unbounded : (forall M, exists t k x, M * N x < N (P t k x)) -> 1 < rho.
Proof.
move=> large; rewrite ltNge; apply/negP => rho1.
have [t [k [x]]] := large K; rewrite ltNge => /negP; apply.
apply: le_trans (upper t k x) _; rewrite ler_wpmul2r // -[leRHS]mulr1 ler_wpmul2l //.
exact: exprn_ile1.
Qed.

Theorem T2_rate C alpha : 0 < C -> 0 < alpha ->
  (forall lag, exists t k x, [/\ (lag <= t - k)%N, 0 < N x & C * alpha ^+ (t - k) * N x <= N (P t k x)]) ->
  alpha <= rho.
Proof.
move=> C0 alpha0 grows; rewrite leNgt; apply/negP => slow.
have K1 : 0 < K + 1 by rewrite ltr_spaddr ?ltr01.
have q0 : 0 <= rho / alpha by rewrite divr_ge0 // ltW.
have q1 : rho / alpha < 1 by rewrite ltr_pdivr_mulr ?mul1r.
have [lag small] := L0_power_to_0 q0 q1 (divr_gt0 C0 K1).
have [t [k [x [far x0 low]]]] := grows lag.
move: (small _ far); rewrite expr_div_n ltr_pdivr_mulr ?exprn_gt0 // mulrAC ltr_pdivl_mulr // ltNge => /negP; apply.
rewrite -(ler_pmul2r x0); apply: le_trans low _; apply: le_trans (upper t k x) _.
apply: ler_wpmul2r (ltW x0) _ _ _; rewrite [X in _ <= X]mulrC.
by apply: ler_wpmul2r; [exact: exprn_ge0|rewrite ler_addl ler01].
Qed.
End AnyProducts.

(* for the vanilla RNN, in every scaling Delta = diag e and every absolute norm *)
Section Vanilla.
Variables (R : archiFieldType) (n : nat) (N : 'cV[R]_n -> R) (W : 'M[R]_n) (d : nat -> 'rV[R]_n).
Variables (e e' : 'rV[R]_n) (g s m M : R).
Hypotheses (N0 : forall x, 0 <= N x) (N_absolute : absolute N).
Hypotheses (g0 : 0 <= g) (s0 : 0 <= s) (dg : forall t i, `|d t 0 i| <= g).
Hypotheses (m0 : 0 <= m) (M0 : 0 <= M) (ee' : forall i, e 0 i * e' 0 i = 1).
Hypotheses (eM : forall i, `|e 0 i| <= M) (e'm : forall i, `|e' 0 i| <= m).
Hypothesis Ws : bounded N N (mulmx (diag_mx e *m W *m diag_mx e')) s.

Let upper := T1_scaled g0 s0 dg N_absolute m0 M0 ee' eM e'm Ws.
Let mM0 : 0 <= m * M := mulr_ge0 m0 M0.

Theorem T2_explosion : (forall B, exists t k x, B * N x < N (rnn W d t k *m x)) -> 1 < g * s.
Proof. exact: (@T2_unbounded _ _ N (fun t k => mulmx (rnn W d t k)) _ _ N0 mM0 (mulr_ge0 g0 s0) upper). Qed.

Theorem T2_explosion_rate C alpha : 0 < C -> 0 < alpha ->
  (forall lag, exists t k x,
    [/\ (lag <= t - k)%N, 0 < N x & C * alpha ^+ (t - k) * N x <= N (rnn W d t k *m x)]) ->
  alpha <= g * s.
Proof. exact: (@T2_rate _ _ N (fun t k => mulmx (rnn W d t k)) _ _ mM0 (mulr_ge0 g0 s0) upper). Qed.
End Vanilla.

Section Nilpotent.
Variables (R : comRingType) (a : R).

Definition nilpotent : 'M[R]_2 := \matrix_(i, j) (if j == 0 then a else - a).
Definition first_open : 'rV[R]_2 := \row_j (if j == 0 then 1 else 0).
Definition first_unit : 'cV[R]_2 := \col_i (if i == 0 then 1 else 0).

Theorem T2_nilpotent : nilpotent *m nilpotent = 0.
Proof. by apply/matrixP=> i j; rewrite !(mxE, big_ord_recl, big_ord0) /= addr0 mulNr subrr. Qed.

Theorem T2_nilpotent_grows T : rnn nilpotent (fun=> first_open) T 0 *m first_unit = a ^+ T *: first_unit.
Proof.
elim: T => [|T IH]; first by rewrite mul1mx expr0 scale1r.
rewrite chainS // -mulmxA IH -scalemxAr exprSr -scalerA -mulmxA; congr (_ *: _).
apply/matrixP=> i j; rewrite mul_diag_mx !(mxE, big_ord_recl, big_ord0) /=.
by case: eqP => _; rewrite ?mul0r ?mul1r ?mulr1 ?mulr0 ?addr0 ?mulr1 ?mulr0.
Qed.
End Nilpotent.
