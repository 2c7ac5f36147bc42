(* T3 (a), a linear recurrence with fixed W: along an eigenvector W v = lambda v the product W^(t-k) v is lambda^(t-k)
   v. It tends to 0 if |lambda| < 1, is unbounded if |lambda| > 1, and keeps its size only if |lambda| = 1.

   T11 (b): if every vector keeps its length up to the factors 1 - delta and 1 + delta over T steps, |lambda|^T lies
   between them (T11_window).

   What refutes a certificate (refutation): if the products along an orbit come as near as one likes to the powers of a
   cycle's Jacobian, which has the eigenvalue lambda, then C rho^lag bounds them all only if rho >= |lambda|. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Powers Chain.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Linear.
Variables (R : archiFieldType) (n : nat) (W : 'M[R]_n) (v : 'cV[R]_n) (lambda : R).
Hypothesis eigen : W *m v = lambda *: v.

Theorem T3_eigenvector t k : chain (fun=> W) t k *m v = lambda ^+ (t - k) *: v.
Proof.
elim: t => [|t IH]; first by rewrite mul1mx scale1r.
case: (leqP k t) => kt; last by rewrite chain_early // mul1mx (eqP kt) scale1r.
by rewrite chainS // -mulmxA IH -scalemxAr eigen scalerA -exprSr subSn.
Qed.

Theorem T3_vanishes i : `|lambda| < 1 ->
  forall eps, 0 < eps -> exists lag, forall t k, (lag <= t - k)%N -> `|(chain (fun=> W) t k *m v) i 0| < eps.
Proof.
move=> small eps eps0; have v1 : 0 < `|v i 0| + 1 by rewrite ltr_paddl ?ltr01.
have [lag far] := L0_power_to_0 (normr_ge0 _) small (divr_gt0 eps0 v1).
exists lag => t k /far; rewrite ltr_pdivl_mulr // T3_eigenvector mxE normrM normrX; apply: le_lt_trans.
by rewrite ler_wpmul2l ?exprn_ge0 // ler_addl ler01.
Qed.

Theorem T3_explodes i : 1 < `|lambda| -> v i 0 != 0 ->
  forall B, exists lag, forall t k, (lag <= t - k)%N -> B < `|(chain (fun=> W) t k *m v) i 0|.
Proof.
move=> large vi B; have vi0 : 0 < `|v i 0| by rewrite normr_gt0.
have l0 : 0 < `|lambda| by apply: lt_trans large; rewrite ltr01.
have B1 : 0 < `|B| + 1 by rewrite ltr_paddl ?ltr01.
have inv1 : `|lambda|^-1 < 1 by rewrite invf_lt1.
have inv0 : 0 <= `|lambda|^-1 by rewrite invr_ge0 ltW.
have [lag far] := L0_power_to_0 inv0 inv1 (divr_gt0 vi0 B1).
exists lag => t k /far; rewrite T3_eigenvector mxE normrM normrX exprVn ltr_pdivl_mulr // ltr_pdivr_mull ?exprn_gt0 //.
by apply: le_lt_trans; rewrite (le_trans (ler_norm B)) // ler_addl ler01.
Qed.
End Linear.

Section Eigenvalue.
Variables (R : archiFieldType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]) (v : 'cV[R]_n) (lambda : R).
Hypothesis normZ : forall a u, N (a *: u) = `|a| * N u.
Hypothesis seen : 0 < N v.

Theorem T11_window (W : 'M[R]_n) delta T : W *m v = lambda *: v ->
  expands N N (mulmx (chain (fun=> W) T 0)) (1 - delta) -> bounded N N (mulmx (chain (fun=> W) T 0)) (1 + delta) ->
  1 - delta <= `|lambda| ^+ T <= 1 + delta.
Proof.
move=> eigen /(_ v) lo /(_ v); move: lo.
by rewrite (T3_eigenvector eigen) subn0 normZ normrX ler_pmul2r // => -> /=; rewrite ler_pmul2r.
Qed.

Theorem refutation (J : nat -> 'M[R]_n) C rho : 0 <= rho ->
  (forall lag eps, 0 < eps -> exists k, N (chain J (k + lag) k *m v - lambda ^+ lag *: v) <= eps) ->
  (forall t k, bounded N N (mulmx (chain J t k)) (C * rho ^+ (t - k))) -> `|lambda| <= rho.
Proof.
move=> rho0 near bound; have power lag : `|lambda| ^+ lag <= C * rho ^+ lag.
  rewrite -(ler_pmul2r seen); apply/ler_addgt0Pr => eps eps0; have [k close] := near lag eps eps0.
  rewrite -normrX -normZ -[_ *: v](subrK (chain J (k + lag) k *m v)).
  apply: le_trans (normD N _ _) _; rewrite addrC ler_add //; last by rewrite -normN opprB.
  by have := bound (k + lag)%N k v; rewrite addKn.
rewrite leNgt; apply/negP => less; have l0 := le_lt_trans rho0 less.
have C0 : 0 < C by have := power 0%N; rewrite !expr0 mulr1; apply: lt_le_trans.
have q1 : rho / `|lambda| < 1 by rewrite ltr_pdivr_mulr // mul1r.
have [lag /(_ _ (leqnn lag))] := L0_power_to_0 (divr_ge0 rho0 (ltW l0)) q1 (divr_gt0 ltr01 C0).
rewrite expr_div_n ltr_pdivl_mulr // mulrAC ltr_pdivr_mulr ?exprn_gt0 // mul1r mulrC => /lt_le_trans/(_ (power lag)).
by rewrite ltxx.
Qed.
End Eigenvalue.
