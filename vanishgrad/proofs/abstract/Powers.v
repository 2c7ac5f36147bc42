(* L0, about powers of one number.

   Bernoulli: (1 + e)^T >= 1 + e T for e >= -1, hence (1 - e)^T >= 1 - e T for e <= 1.
   If 0 <= q < 1 then q^T tends to 0, and the powers of q from l on sum to at most q^l / (1 - q). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Bernoulli.
Variable R : realDomainType.
Implicit Types e : R.

Theorem L0_bernoulli e T : -1 <= e -> 1 + e *+ T <= (1 + e) ^+ T.
Proof.
move=> he; elim: T => [|T IH]; first by rewrite mulr0n addr0 expr0.
have e1 : 0 <= 1 + e by rewrite -ler_subl_addl sub0r.
rewrite exprS; apply: le_trans (ler_wpmul2l e1 IH).
rewrite mulrDl mul1r mulrDr mulr1 mulrSr !addrA ler_addl.
by rewrite mulrnAr mulrn_wge0 // -expr2 sqr_ge0.
Qed.

Corollary L0_bernoulli_sub e T : e <= 1 -> 1 - e *+ T <= (1 - e) ^+ T.
Proof. by move=> e1; rewrite -mulNrn; apply: L0_bernoulli; rewrite ler_opp2. Qed.
End Bernoulli.

Section Geometric.
Variables (R : realFieldType) (q : R).
Hypotheses (q0 : 0 <= q) (q1 : q < 1).

Theorem L0_geometric_tail l T : \sum_(l <= j < T) q ^+ j <= q ^+ l / (1 - q).
Proof.
have d0 : 0 < 1 - q by rewrite subr_gt0.
case: (leqP l T) => [lT|/ltnW Tl]; last by rewrite big_geq // divr_ge0 ?exprn_ge0 // ltW.
rewrite ler_pdivl_mulr // mulr_suml.
have step j : true -> q ^+ j * (1 - q) = - q ^+ j.+1 - - q ^+ j.
  by rewrite exprSr mulrBr mulr1 opprK addrC.
by rewrite (eq_bigr _ step) telescope_sumr // opprK addrC ler_subl_addr ler_addl exprn_ge0.
Qed.
End Geometric.

Section Limit.
Variable R : archiFieldType.

Theorem L0_power_to_0 (q : R) : 0 <= q -> q < 1 ->
  forall eps, 0 < eps -> exists T0, forall T, (T0 <= T)%N -> q ^+ T < eps.
Proof.
move=> q0 q1 eps eps0; case: (ltgtP 0 q) q0 => // [qp _|<- _]; last first.
  by exists 1%N => -[|T] // _; rewrite expr0n.
pose e := q^-1 - 1.
have e0 : 0 < e by rewrite subr_gt0 invr_gt1 // unitfE gt_eqF.
have bound0 : 0 <= eps^-1 / e by rewrite divr_ge0 ?invr_ge0 // ltW.
exists (Num.bound (eps^-1 / e)) => T hT.
rewrite -ltf_pinv ?posrE ?exprn_gt0 // -exprVn -[q^-1](subrK 1) addrC.
apply: lt_le_trans (L0_bernoulli T _); last by rewrite (le_trans _ (ltW e0)) // lerN10.
have : eps^-1 < e *+ T.
  rewrite -mulr_natl -ltr_pdivr_mulr //.
  by apply: lt_le_trans (archi_boundP bound0) _; rewrite ler_nat.
by move/lt_le_trans; apply; rewrite ler_addr ler01.
Qed.
End Limit.
