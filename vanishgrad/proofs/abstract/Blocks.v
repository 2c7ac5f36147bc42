(* T1'.  If every block of m consecutive steps contracts by b, and every shorter block stretches by at most B, then
   |J_{t:k} x| <= B b^floor((t-k)/m) |x|: blocks may contract where single steps do not. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Chain.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Blocks.
Variables (R : realDomainType) (n : nat) (N : 'cV[R]_n -> R) (J : nat -> 'M[R]_n) (m : nat) (b B : R).
Hypotheses (b0 : 0 <= b) (B0 : 0 <= B).
Hypothesis block : forall s, bounded N N (mulmx (chain J (s + m) s)) b.
Hypothesis rest : forall s r, (r < m)%N -> bounded N N (mulmx (chain J (s + r) s)) B.

Lemma T1b_whole_blocks k q : bounded N N (mulmx (chain J (k + m * q) k)) (b ^+ q).
Proof.
elim: q => [|q IH] x; first by rewrite muln0 addn0 chain_id mul1mx expr0 mul1r.
rewrite mulnS [(m + _)%N]addnC addnA (@chain_split _ _ _ _ (k + m * q)) ?leq_addr // -mulmxA exprS -mulrA.
by apply: le_trans (block _ _) _; rewrite ler_wpmul2l.
Qed.

Theorem T1b_blocks : (0 < m)%N ->
  forall t k, (k <= t)%N -> bounded N N (mulmx (chain J t k)) (B * b ^+ ((t - k) %/ m)).
Proof.
move=> m0 t k kt x; rewrite -{1}(subnKC kt) {1}(divn_eq (t - k) m) [(_ * m)%N]mulnC addnA.
rewrite (@chain_split _ _ _ _ (k + m * ((t - k) %/ m))) ?leq_addr // -mulmxA -mulrA.
apply: le_trans (rest _ (ltn_pmod _ m0) _) _.
by rewrite ler_wpmul2l ?T1b_whole_blocks.
Qed.
End Blocks.
