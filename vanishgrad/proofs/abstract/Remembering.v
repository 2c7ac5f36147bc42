(* T5 (c) and (d) together, from the gates and weights of an LSTM to the gradient it keeps.  If at every step

     f >= 1 - epsilon,  i <= iota,  |c| <= cbar,

   all gates lie in [0, 1], the candidate g and t = tanh c' in [-1, 1], and |U_o| < 4, then with
   kappa = cbar epsilon |U_f| + iota (|U_i| + |U_g|) and theta = kappa / (1 - |U_o| / 4)

     |(dc_{T+1} / dc_0) v| >= (1 - epsilon (T + 1) - ((1 + theta)^T - 1)) |v|,

   in every norm for which diagonal matrices stretch by their largest entry. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Norms Lstm Conveyor Additive Coupling.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Theorem T5_remembering (R : realFieldType) n (N : seminorm R [zmodType of 'cV[R]_n])
    (Ui Uf Ug Uo : 'M[R]_n) ui uf ug uo (i f g o c t : nat -> 'rV[R]_n) epsilon iota cbar
    (kappa := cbar * epsilon * uf + iota * (ui + ug)) (theta := kappa * 1 / (1 - uo / 4%:R)) :
  absolute N ->
  bounded N N (mulmx Ui) ui -> bounded N N (mulmx Uf) uf -> bounded N N (mulmx Ug) ug -> bounded N N (mulmx Uo) uo ->
  0 <= ui -> 0 <= uf -> 0 <= ug -> 0 <= uo < 4%:R ->
  (forall s j, 0 <= i s 0 j <= 1) -> (forall s j, 0 <= f s 0 j <= 1) -> (forall s j, 0 <= o s 0 j <= 1) ->
  (forall s j, `|g s 0 j| <= 1) -> (forall s j, `|t s 0 j| <= 1) ->
  0 <= epsilon < 1 -> 0 <= iota -> 0 <= cbar ->
  (forall s j, 1 - epsilon <= f s 0 j) -> (forall s j, i s 0 j <= iota) -> (forall s j, `|c s 0 j| <= cbar) ->
  forall v T,
  (1 - epsilon *+ T.+1 - ((1 + theta) ^+ T - 1)) * N v <=
  N (lstm_dc (fun s => diag_mx (f s)) (fun s => lstm_C Ui Uf Ug (i s) (f s) (g s) (c s))
       (fun s => lstm_O Uo (o s) (t s)) (fun s => lstm_E (o s) (t s)) 0 v T.+1).
Proof.
move=> N_absolute hi hf hg ho ui0 uf0 ug0 /andP[uo0 uo4] i01 f01 o01 g1 t1 /andP[e0 e1] iota0 cbar0 fe ii cc v T.
have kappa0 : 0 <= kappa by rewrite addr_ge0 ?mulr_ge0 ?addr_ge0.
have omega0 : 0 <= uo / 4%:R by rewrite divr_ge0 ?ler0n.
have omega1 : uo / 4%:R < 1 by rewrite ltr_pdivr_mulr ?ltr0n // mul1r.
have f_open s : expands N N (mulmx (diag_mx (f s))) (1 - epsilon).
  by apply: absolute_expands; rewrite ?subr_gt0 // => j; apply: le_trans (fe s j) (ler_norm _).
have f_le1 s x : N (diag_mx (f s) *m x) <= N x.
  rewrite -[X in _ <= X]mul1r; apply: (N_absolute _ _ ler01) => j.
  by have /andP[f0 f1] := f01 s j; rewrite ger0_norm.
apply: (@T5_additive_bernoulli _ _ _ N N (fun s => [additive of mulmx (diag_mx (f s))]) _ _ _ (1 - epsilon)) => //.
- by rewrite subr_ge0 ltW.
- exact: ler01.
- by move=> s; apply: T5_coupling.
- by move=> s; apply: T5_coupling_O.
- by move=> s; apply: T5_coupling_E.
- exact: ltW.
Qed.
