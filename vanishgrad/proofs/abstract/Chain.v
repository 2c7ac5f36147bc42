(* The product of one-step Jacobians and L0, what it inherits from its factors.

   `chain J t k` is J_t ... J_{k+1}, newest on the left: the derivative of the state at t by the state at k (the
   identity if t <= k).  If every factor stretches by at most a_s, the product does by at most the product of the a_s;
   likewise from below. The determinant of the product is the product of the determinants. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Chain.
Variables (R : ringType) (n : nat).
Implicit Types J : nat -> 'M[R]_n.

Fixpoint chain J t k : 'M[R]_n :=
  if t is s.+1 then if (k <= s)%N then J t *m chain J s k else 1%:M else 1%:M.

Lemma chain_id J t : chain J t t = 1%:M.
Proof. by case: t => //= t; rewrite ltnn. Qed.

Lemma chainS J t k : (k <= t)%N -> chain J t.+1 k = J t.+1 *m chain J t k.
Proof. by move=> /= ->. Qed.

Lemma chain_early J t k : (t <= k)%N -> chain J t k = 1%:M.
Proof. by case: t => //= t tk; rewrite leqNgt tk. Qed.

Lemma chain_split J t s k : (k <= s <= t)%N -> chain J t k = chain J t s *m chain J s k.
Proof.
case/andP=> ks; elim: t => [|t IH]; first by rewrite leqn0 => /eqP->; rewrite chain_id mul1mx.
rewrite leq_eqVlt => /predU1P[->|st]; first by rewrite chain_id mul1mx.
by rewrite !chainS ?(leq_trans ks) // IH // mulmxA.
Qed.
End Chain.

Section Factors.
Variables (R : realDomainType) (n : nat) (N : 'cV[R]_n -> R) (J : nat -> 'M[R]_n) (a : nat -> R).
Hypothesis a0 : forall s, 0 <= a s.

Theorem L0_upper : (forall s, bounded N N (mulmx (J s)) (a s)) ->
  forall t k, bounded N N (mulmx (chain J t k)) (\prod_(k <= s < t) a s.+1).
Proof.
move=> hJ t k x; elim: t => [|t IH]; first by rewrite chain_early // big_geq // mul1mx mul1r.
case: (leqP k t) => kt; last by rewrite chain_early // big_geq // mul1mx mul1r.
rewrite chainS // -mulmxA big_nat_recr //= mulrAC mulrC.
by apply: le_trans (hJ _ _) _; rewrite ler_wpmul2l.
Qed.

Theorem L0_lower : (forall s, expands N N (mulmx (J s)) (a s)) ->
  forall t k, expands N N (mulmx (chain J t k)) (\prod_(k <= s < t) a s.+1).
Proof.
move=> hJ t k x; elim: t => [|t IH]; first by rewrite chain_early // big_geq // mul1mx mul1r.
case: (leqP k t) => kt; last by rewrite chain_early // big_geq // mul1mx mul1r.
rewrite chainS // -mulmxA big_nat_recr //= mulrAC mulrC.
by apply: le_trans (hJ _ _); rewrite ler_wpmul2l.
Qed.
End Factors.

Section Constant.
Variables (R : realDomainType) (n : nat) (N : 'cV[R]_n -> R) (J : nat -> 'M[R]_n) (a : R).
Hypothesis a0 : 0 <= a.

Let power t k : \prod_(k <= s < t) a = a ^+ (t - k).
Proof. by rewrite prodr_const_nat. Qed.

Corollary L0_upper_rate : (forall s, bounded N N (mulmx (J s)) a) ->
  forall t k, bounded N N (mulmx (chain J t k)) (a ^+ (t - k)).
Proof. by move=> hJ t k; rewrite -power; apply: L0_upper. Qed.

Corollary L0_lower_rate : (forall s, expands N N (mulmx (J s)) a) ->
  forall t k, expands N N (mulmx (chain J t k)) (a ^+ (t - k)).
Proof. by move=> hJ t k; rewrite -power; apply: L0_lower. Qed.
End Constant.

Theorem L0_determinant (R : comRingType) n (J : nat -> 'M[R]_n) t k :
  \det (chain J t k) = \prod_(k <= s < t) \det (J s.+1).
Proof.
elim: t => [|t IH]; first by rewrite chain_early // big_geq // det1.
case: (leqP k t) => kt; last by rewrite chain_early // big_geq // det1.
by rewrite chainS // det_mulmx IH big_nat_recr //= mulrC.
Qed.
