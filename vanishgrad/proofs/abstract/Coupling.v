(* T5 (d), how small the LSTM's blocks are, in terms of its weights and gates.  With

     C = diag (c f (1 - f)) U_f + diag (g i (1 - i)) U_i + diag (i (1 - g^2)) U_g,
     O = diag (t o (1 - o)) U_o,   E = diag (o (1 - t^2)),   t = tanh c',

   f >= 1 - epsilon, i <= iota and |c| <= cbar give kappa = cbar epsilon |U_f| + iota (|U_i| + |U_g|), omega = |U_o| / 4
   and eta = 1.  So remembering needs both: the forget gate open and the input gate shut. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Norms.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Coupling.
Variables (R : realFieldType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]).
Hypothesis N_absolute : absolute N.
Variables (Ui Uf Ug Uo : 'M[R]_n) (ui uf ug uo : R).
Hypotheses (hi : bounded N N (mulmx Ui) ui) (hf : bounded N N (mulmx Uf) uf).
Hypotheses (hg : bounded N N (mulmx Ug) ug) (ho : bounded N N (mulmx Uo) uo).
Variables i f g o c t : 'rV[R]_n.
Hypotheses (i01 : forall j, 0 <= i 0 j <= 1) (f01 : forall j, 0 <= f 0 j <= 1) (o01 : forall j, 0 <= o 0 j <= 1).
Hypotheses (g1 : forall j, `|g 0 j| <= 1) (t1 : forall j, `|t 0 j| <= 1).

Definition lstm_C : 'M[R]_n :=
  diag_mx (\row_j (c 0 j * (f 0 j * (1 - f 0 j)))) *m Uf + diag_mx (\row_j (g 0 j * (i 0 j * (1 - i 0 j)))) *m Ui +
  diag_mx (\row_j (i 0 j * (1 - g 0 j ^+ 2))) *m Ug.
Definition lstm_O : 'M[R]_n := diag_mx (\row_j (t 0 j * (o 0 j * (1 - o 0 j)))) *m Uo.
Definition lstm_E : 'M[R]_n := diag_mx (\row_j (o 0 j * (1 - t 0 j ^+ 2))).

Let term (d : 'rV_n) U b u x : 0 <= b -> (forall j, `|d 0 j| <= b) -> bounded N N (mulmx U) u ->
  N (diag_mx d *m U *m x) <= b * u * N x.
Proof.
move=> b0 db Uu; rewrite -mulmxA -mulrA; apply: le_trans (N_absolute b0 db _) _.
by rewrite ler_wpmul2l.
Qed.

Let square01 (y : R) : `|y| <= 1 -> 0 <= 1 - y ^+ 2 <= 1.
Proof.
move=> y1; rewrite subr_ge0 ler_subl_addr ler_addl sqr_ge0 andbT -real_normK ?num_real //.
exact: exprn_ile1.
Qed.

Theorem T5_coupling epsilon iota cbar : 0 <= epsilon -> 0 <= iota -> 0 <= cbar ->
  (forall j, 1 - epsilon <= f 0 j) -> (forall j, i 0 j <= iota) -> (forall j, `|c 0 j| <= cbar) ->
  bounded N N (mulmx lstm_C) (cbar * epsilon * uf + iota * (ui + ug)).
Proof.
move=> e0 iota0 cbar0 fe ii cc x; rewrite !mulmxDl mulrDr addrA !mulrDl.
apply: le_trans (normD _ _ _) (ler_add (le_trans (normD _ _ _) (ler_add _ _)) _).
- apply: term hf => [|j]; first exact: mulr_ge0.
  have /andP[f0 f1] := f01 j; rewrite mxE !normrM; apply: ler_pmul; rewrite ?mulr_ge0 // -[epsilon]mul1r.
  by rewrite ler_pmul // ger0_norm ?subr_ge0 // ler_subl_addr addrC -ler_subl_addr.
- apply: term hi => // j; have /andP[i0 i1] := i01 j; rewrite mxE !normrM -[iota]mul1r.
  apply: ler_pmul; rewrite ?mulr_ge0 // -[iota]mulr1.
  by rewrite ler_pmul // ger0_norm ?subr_ge0 // ler_subl_addr ler_addl.
- apply: term hg => // j; have /andP[i0 i1] := i01 j; have /andP[g0 g2] := square01 (g1 j).
  by rewrite mxE normrM -[iota]mulr1 ler_pmul // ger0_norm.
Qed.

Theorem T5_coupling_O : bounded N N (mulmx lstm_O) (uo / 4%:R).
Proof.
move=> x; rewrite [uo / _]mulrC; apply: term => // [|j]; first by rewrite invr_ge0 ler0n.
have /andP[o0 o1] := o01 j; rewrite mxE normrM -[_^-1]mul1r ler_pmul // ger0_norm ?mulr_ge0 ?subr_ge0 //.
rewrite -[_^-1]mul1r ler_pdivl_mulr ?ltr0n // mulr_natr.
by have := (leif_AGM2_scaled (o 0 j) (1 - o 0 j)).1; rewrite [_ + (_ - _)]addrC subrK expr1n.
Qed.

Theorem T5_coupling_E : bounded N N (mulmx lstm_E) 1.
Proof.
apply: (N_absolute ler01) => j; have /andP[o0 o1] := o01 j; have /andP[t0 t2] := square01 (t1 j).
by rewrite mxE normrM -[X in _ <= X]mulr1 ler_pmul // ger0_norm.
Qed.
End Coupling.
