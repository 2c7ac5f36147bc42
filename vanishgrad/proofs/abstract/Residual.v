(* T9, residual layers.  A stack of layers x + A_l x with |A_l x| <= a_l |x| keeps its gradient:

     (1 - a_1) ... (1 - a_L) |x| <= |(1 + A_L) ... (1 + A_1) x| <= (1 + a_1) ... (1 + a_L) |x|      if all a_l <= 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Chain.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Residual.
Variables (R : realDomainType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]) (A : nat -> 'M[R]_n) (a : nat -> R).
Hypotheses (a0 : forall l, 0 <= a l) (small : forall l, bounded N N (mulmx (A l)) (a l)).
Let J l := 1%:M + A l.

Theorem T9_residual_upper L k x : N (chain J L k *m x) <= (\prod_(k <= l < L) (1 + a l.+1)) * N x.
Proof.
apply: (@L0_upper _ _ _ _ (fun l => 1 + a l)) => l => [|y]; first by rewrite addr_ge0 ?ler01.
rewrite mulmxDl mul1mx mulrDl mul1r; apply: le_trans (normD _ _ _) _.
by rewrite ler_add2l small.
Qed.

Theorem T9_residual L k x : (forall l, a l <= 1) -> (\prod_(k <= l < L) (1 - a l.+1)) * N x <= N (chain J L k *m x).
Proof.
move=> a1; apply: (@L0_lower _ _ _ _ (fun l => 1 - a l)) => l => [|y]; first by rewrite subr_ge0.
rewrite mulmxDl mul1mx mulrBl mul1r; apply: le_trans (norm_sub _ _ _).
by rewrite ler_sub // small.
Qed.
End Residual.
