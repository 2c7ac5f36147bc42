(* T3 (a), a linear recurrence with fixed W: along an eigenvector W v = lambda v the product W^(t-k) v is lambda^(t-k)
   v. It tends to 0 if |lambda| < 1, is unbounded if |lambda| > 1, and keeps its size only if |lambda| = 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Powers Chain.
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
