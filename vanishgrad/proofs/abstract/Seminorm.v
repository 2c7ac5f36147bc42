(* What the theorems ask of a norm: |0| = 0, |-v| = |v| and the triangle inequality; that |v| >= 0 follows.

   `bounded M N A a` says N (A x) <= a M x for all x, that is ||A|| <= a; `expands M N A a` says N (A x) >= a M x, which
   for the Euclidean norm is sigma_min(A) >= a. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Record seminorm (R : numDomainType) (V : zmodType) := Seminorm {
  length :> V -> R;
  norm0 : length 0 = 0;
  normN : forall v, length (- v) = length v;
  normD : forall u v, length (u + v) <= length u + length v }.
Arguments norm0 {R V}.

Section Laws.
Variables (R : realDomainType) (V : zmodType) (N : seminorm R V).
Implicit Types u v : V.

Lemma norm_ge0 v : 0 <= N v.
Proof.
rewrite -(pmulrn_lge0 (N v) (isT : 0 < 2)%N) mulr2n -{2}normN -(norm0 N) -(subrr v).
exact: normD.
Qed.

Lemma normB u v : N (u - v) <= N u + N v.
Proof. by rewrite -(normN N v) normD. Qed.

Lemma norm_sub u v : N u - N v <= N (u + v).
Proof. by rewrite ler_subl_addr -{1}(addrK v u) normB. Qed.

Lemma norm_sum I (r : seq I) (v : I -> V) : N (\sum_(i <- r) v i) <= \sum_(i <- r) N (v i).
Proof.
elim/big_ind2: _ => // [|x a y b hx hy]; first by rewrite norm0.
exact: le_trans (normD _ _ _) (ler_add hx hy).
Qed.
End Laws.

Section Bounds.
Variables (R : numDomainType) (U V : Type) (M : U -> R) (N : V -> R).

Definition bounded (A : U -> V) (a : R) := forall x, N (A x) <= a * M x.
Definition expands (A : U -> V) (a : R) := forall x, a * M x <= N (A x).
End Bounds.
