(* T8, the forget bias for a horizon T.

   (ii) (1 - 1/T)^T grows strictly with T and is at least 1/4 for T >= 2 (that it stays below 1/e is proved in real/).

   (iii) Among leaky cells c' = f c + (1 - f) x the response at lag T - 1, which is (1 - f) f^(T-1), has on [0, 1] the
   unique maximiser f = 1 - 1/T: chrono initialisation.  By the inequality of the arithmetic and the geometric mean for
   the numbers 1 - f and T - 1 times f / (T - 1), whose sum is 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Chrono.
Variable R : realFieldType.
Implicit Types f : R.

(* 1 - 1/T with T = m + 1 *)
Lemma leak m : 1 - m.+1%:R^-1 = m%:R / m.+1%:R :> R.
Proof. by rewrite -{1}(divff (_ : m.+1%:R != 0)) ?pnatr_eq0 // -{2}[_^-1]mul1r -mulrBl mulrSr addrK. Qed.

Let mean_optimal m f : (0 < m)%N -> 0 <= f <= 1 ->
  (1 - f) * f ^+ m <= (m.+1%:R)^-1 * (m%:R / m.+1%:R) ^+ m ?= iff (f == m%:R / m.+1%:R).
Proof.
move=> m0 /andP[f0 f1].
have mR : m%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have MR : m.+1%:R != 0 :> R by rewrite pnatr_eq0.
have mp : 0 < m%:R :> R by rewrite ltr0n.
pose E (i : 'I_m.+1) := if i == ord0 then 1 - f else f / m%:R.
have E0 : {in 'I_m.+1, forall i, 0 <= E i}.
  by move=> i _; rewrite /E; case: eqP; rewrite ?subr_ge0 // divr_ge0 ?ler0n.
have := leif_AGM E0; rewrite card_ord.
have -> : \sum_(i in 'I_m.+1) E i = 1.
  rewrite big_mkcond big_ord_recl /= /E eqxx (eq_bigr (fun=> f / m%:R)) //.
  by rewrite sumr_const card_ord -mulr_natr divfK // subrK.
have -> : \prod_(i in 'I_m.+1) E i = (1 - f) * (f / m%:R) ^+ m.
  rewrite big_mkcond big_ord_recl /= /E eqxx (eq_bigr (fun=> f / m%:R)) //.
  by rewrite prodr_const card_ord.
have -> : [forall i in 'I_m.+1, forall j in 'I_m.+1, E i == E j] = (f == m%:R / m.+1%:R).
  have key : (1 - f == f / m%:R) = (f == m%:R / m.+1%:R).
    rewrite -[1 - f]divr1 -{3}[f]divr1 !eqr_div ?oner_eq0 // !mulr1 mulrBl mul1r subr_eq.
    by rewrite eq_sym [m.+1%:R]mulrSr mulrDr mulr1 addrC.
  rewrite -key; apply/idP/idP => [/forall_inP H|/eqP h].
    have := H ord0 isT => /forall_inP/(_ ord_max isT); rewrite /E eqxx.
    by rewrite -val_eqE /= eqn0Ngt m0.
  by apply/forall_inP=> i _; apply/forall_inP=> j _; rewrite /E h; case: ifP; case: ifP.
rewrite expr_div_n expr_div_n => H.
have pm : 0 < m%:R ^+ m :> R by rewrite exprn_gt0.
rewrite -(mono_leif (ler_pmul2r pm)) /= mulrA divfK ?lt0r_neq0 // in H.
rewrite expr_div_n; move: H; rewrite expr1n div1r exprS invfM -mulrA.
by rewrite [(_ ^+ m)^-1 * _]mulrC.
Qed.

Theorem T8_optimal T f : (1 < T)%N -> 0 <= f <= 1 ->
  (1 - f) * f ^+ T.-1 <= T%:R^-1 * (1 - T%:R^-1) ^+ T.-1 ?= iff (f == 1 - T%:R^-1).
Proof. by case: T => // m m0 f01; rewrite leak; apply: mean_optimal. Qed.

Let mean_increasing m : (m%:R / m.+1%:R) ^+ m.+1 < (m.+1%:R / m.+2%:R) ^+ m.+2 :> R.
Proof.
have MR k : k.+1%:R != 0 :> R by rewrite pnatr_eq0.
pose g : R := m%:R / m.+1%:R.
pose E (i : 'I_m.+2) := if i == ord0 then 1 else g.
have E0 : {in 'I_m.+2, forall i, 0 <= E i}.
  by move=> i _; rewrite /E; case: eqP; rewrite ?ler01 // divr_ge0 ?ler0n.
have := leif_AGM E0; rewrite card_ord.
have -> : \sum_(i in 'I_m.+2) E i = m.+1%:R.
  rewrite big_mkcond big_ord_recl /= /E eqxx (eq_bigr (fun=> g)) //.
  by rewrite sumr_const card_ord -[g *+ _]mulr_natr divfK // [in RHS]mulrS.
have -> : \prod_(i in 'I_m.+2) E i = g ^+ m.+1.
  rewrite big_mkcond big_ord_recl /= /E eqxx (eq_bigr (fun=> g)) //.
  by rewrite prodr_const card_ord mul1r.
move/lt_leif->; apply/negP=> /forall_inP/(_ ord0 isT)/forall_inP/(_ ord_max isT).
by rewrite /E eqxx /= gt_eqF // ltr_pdivr_mulr ?ltr0n // mul1r ltr_nat.
Qed.

Theorem T8_increasing S T : (0 < S < T)%N -> (1 - S%:R^-1) ^+ S < (1 - T%:R^-1) ^+ T :> R.
Proof.
case: S => // s /=; elim: T => // -[|m] // IH; rewrite ltnS leq_eqVlt !leak => /predU1P[[->]|/IH].
  exact: mean_increasing.
by rewrite !leak => /lt_trans; apply; apply: mean_increasing.
Qed.

Corollary T8_quarter T : (1 < T)%N -> 4%:R^-1 <= (1 - T%:R^-1) ^+ T :> R.
Proof.
have two : (1 - 2%:R^-1) ^+ 2 = 4%:R^-1 :> R by rewrite leak mul1r exprVn -natrX.
by rewrite -two leq_eqVlt => /predU1P[<- //|T2]; apply: ltW; apply: T8_increasing.
Qed.
End Chrono.
