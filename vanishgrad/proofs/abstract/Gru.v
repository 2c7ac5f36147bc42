(* T6, a GRU whose update gate is shut keeps its gradient.  With h_t = z h_{t-1} + (1 - z) n,

     J_t = diag z + diag ((h_{t-1} - n) z (1 - z)) U_z + diag ((1 - z) (1 - n^2)) K_t,

   where K_t is, with the reset gate after or before the matrix product,

     after:  diag r U_n + diag (a r (1 - r)) U_r,  a = U_n h + b,      before:  U_n (diag r + diag (h r (1 - r)) U_r).

   If 1 - z <= epsilon and |h|, |n| <= 1, then |J_t x - x| <= epsilon (1 + 2 |U_z| + |K_t|) |x|.

   If |J_t x - x| <= e |x| with e <= 1 for all t, then (1 - e)^(t-k) |x| <= |J_{t:k} x| <= (1 + e)^(t-k) |x|; over a
   horizon T >= 2 with e <= 1 / T that is between 1/4 and 4 times |x|. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Norms Chain Chrono.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section NearIdentity.
Variables (R : realFieldType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]) (J : nat -> 'M[R]_n) (e : R).
Hypotheses (e0 : 0 <= e) (near : forall s x, N (J s *m x - x) <= e * N x).

Theorem T6_upper t k x : N (chain J t k *m x) <= (1 + e) ^+ (t - k) * N x.
Proof.
apply: L0_upper_rate => [|s y]; first by rewrite addr_ge0 ?ler01.
rewrite -[J s *m y](subrK y) mulrDl mul1r addrC; apply: le_trans (normD _ _ _) _.
by rewrite ler_add2l near.
Qed.

Theorem T6_lower t k x : e <= 1 -> (1 - e) ^+ (t - k) * N x <= N (chain J t k *m x).
Proof.
move=> e1; apply: L0_lower_rate => [|s y]; first by rewrite subr_ge0.
rewrite mulrBl mul1r -[J s *m y](subrK y) [_ - y + y]addrC; apply: le_trans (norm_sub _ _ _).
by rewrite ler_sub // near.
Qed.

(* e <= 1 / T: (1 - 1/T)^T >= 1/4, and (1 + e)^T (1 - e)^T <= 1 *)
Theorem T6_horizon T x : (1 < T)%N -> e <= T%:R^-1 ->
  4%:R^-1 * N x <= N (chain J T 0 *m x) /\ N (chain J T 0 *m x) <= 4%:R * N x.
Proof.
move=> T2 eT; have T0 : (0 < T)%N by apply: ltnW.
have T1 : T%:R^-1 <= 1 :> R by rewrite invf_le1 ?ltr0n // ler1n.
have e1 := le_trans eT T1.
have low : 4%:R^-1 <= (1 - e) ^+ T.
  apply: le_trans (T8_quarter _ T2) _.
  by apply: ler_expn2r; rewrite ?nnegrE ?subr_ge0 // ler_add2l ler_opp2.
split; first by rewrite (le_trans _ (T6_lower T 0 x e1)) // subn0 ler_wpmul2r ?norm_ge0.
apply: le_trans (T6_upper T 0 x) _; rewrite subn0 ler_wpmul2r ?norm_ge0 //.
have pos : 0 < (1 - e) ^+ T by apply: lt_le_trans low; rewrite invr_gt0 ltr0n.
apply: le_trans (_ : ((1 - e) ^+ T)^-1 <= _); last by rewrite -[4%:R]invrK lef_pinv ?posrE ?invr_gt0 ?ltr0n.
rewrite -[X in _ <= X]mul1r ler_pdivl_mulr // -exprMn mulrC -subr_sqr expr1n.
apply: exprn_ile1; last by rewrite ler_subl_addr ler_addl sqr_ge0.
by rewrite subr_ge0 exprn_ile1.
Qed.
End NearIdentity.

Section Cell.
Variables (R : realFieldType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]).
Hypothesis N_absolute : absolute N.
Implicit Types (z h c r a d : 'rV[R]_n) (U K : 'M[R]_n).

(* one of the terms diag d U *)
Let term d U g u : 0 <= g -> (forall j, `|d 0 j| <= g) -> bounded N N (mulmx U) u ->
  forall x, N (diag_mx d *m U *m x) <= g * u * N x.
Proof.
move=> g0 dg Uu x; rewrite -mulmxA -mulrA; apply: le_trans (N_absolute g0 dg _) _.
by rewrite ler_wpmul2l.
Qed.

(* c is the candidate n *)
Definition gru_jacobian z h c Uz K : 'M[R]_n :=
  diag_mx z + diag_mx (\row_j ((h 0 j - c 0 j) * (z 0 j * (1 - z 0 j)))) *m Uz +
  diag_mx (\row_j ((1 - z 0 j) * (1 - c 0 j ^+ 2))) *m K.

Theorem T6_gate_closure z h c Uz K epsilon u kbar : 0 <= epsilon ->
  (forall j, 0 <= z 0 j <= 1) -> (forall j, 1 - z 0 j <= epsilon) ->
  (forall j, `|h 0 j| <= 1) -> (forall j, `|c 0 j| <= 1) ->
  bounded N N (mulmx Uz) u -> bounded N N (mulmx K) kbar ->
  forall x, N (gru_jacobian z h c Uz K *m x - x) <= epsilon * (1 + 2%:R * u + kbar) * N x.
Proof.
move=> e0 z01 ze h1 c1 Uzu Kk x.
have shut j : `|1 - z 0 j| <= epsilon.
  by rewrite ger0_norm ?ze // subr_ge0; case/andP: (z01 j).
have keep : N (diag_mx z *m x - x) <= epsilon * N x.
  rewrite -normN opprB -[X in N (X - _)]mul1mx -diag_const_mx -mulmxBl -raddfB.
  by apply: N_absolute => // j; rewrite !mxE.
have update : N (diag_mx (\row_j ((h 0 j - c 0 j) * (z 0 j * (1 - z 0 j)))) *m Uz *m x) <= epsilon * 2%:R * u * N x.
  apply: term => // [|j]; first by rewrite mulr_ge0 ?ler0n.
  rewrite mxE !normrM [epsilon * _]mulrC; apply: ler_pmul => //; first exact: mulr_ge0.
    by apply: le_trans (ler_norm_sub _ _) _; rewrite (natrD R 1 1) ler_add.
  have /andP[z0 z1] := z01 j; rewrite -[epsilon]mul1r; apply: ler_pmul => //.
  by rewrite ger0_norm.
have write : N (diag_mx (\row_j ((1 - z 0 j) * (1 - c 0 j ^+ 2))) *m K *m x) <= epsilon * kbar * N x.
  apply: term => // j; rewrite mxE normrM -[epsilon]mulr1; apply: ler_pmul => //.
  have c2 : `|c 0 j| ^+ 2 <= 1 by rewrite exprn_ile1.
  rewrite -real_normK ?num_real // ger0_norm ?subr_ge0 //.
  by rewrite ler_subl_addr ler_addl exprn_ge0.
rewrite /gru_jacobian !mulmxDl addrAC [_ - x]addrAC; apply: le_trans (normD _ _ _) _.
apply: le_trans (ler_add (le_trans (normD _ _ _) (ler_add keep update)) write) _.
by rewrite -!mulrDl -[_ * 2%:R * u]mulrA -{1}[epsilon]mulr1 -!mulrDr.
Qed.

Let quarter r j : 0 <= r 0 j <= 1 -> `|r 0 j * (1 - r 0 j)| <= 4%:R^-1.
Proof.
case/andP=> r0 r1; rewrite ger0_norm ?mulr_ge0 ?subr_ge0 // -[_^-1]mul1r ler_pdivl_mulr ?ltr0n //.
by have := (leif_AGM2_scaled (r 0 j) (1 - r 0 j)).1; rewrite [_ + (_ - _)]addrC subrK expr1n mulr_natr.
Qed.

Theorem T6_reset_after r a Un Ur un ur abar : 0 <= abar ->
  (forall j, 0 <= r 0 j <= 1) -> (forall j, `|a 0 j| <= abar) ->
  bounded N N (mulmx Un) un -> bounded N N (mulmx Ur) ur ->
  bounded N N (mulmx (diag_mx r *m Un + diag_mx (\row_j (a 0 j * (r 0 j * (1 - r 0 j)))) *m Ur))
    (un + abar / 4%:R * ur).
Proof.
move=> abar0 r01 aa Unu Uru x; rewrite mulmxDl mulrDl; apply: le_trans (normD _ _ _) _.
apply: ler_add.
  by rewrite -[un]mul1r; apply: term => // j; have /andP[r0 r1] := r01 j; rewrite ger0_norm.
apply: term => // [|j]; first by rewrite divr_ge0 ?ler0n.
by rewrite mxE normrM ler_pmul ?quarter.
Qed.

Theorem T6_reset_before r h Un Ur un ur : 0 <= un ->
  (forall j, 0 <= r 0 j <= 1) -> (forall j, `|h 0 j| <= 1) ->
  bounded N N (mulmx Un) un -> bounded N N (mulmx Ur) ur ->
  bounded N N (mulmx (Un *m (diag_mx r + diag_mx (\row_j (h 0 j * (r 0 j * (1 - r 0 j)))) *m Ur)))
    (un * (1 + 4%:R^-1 * ur)).
Proof.
move=> un0 r01 h1 Unu Uru x; rewrite -mulmxA -mulrA; apply: le_trans (Unu _) _; rewrite ler_wpmul2l //.
rewrite mulmxDl mulrDl; apply: le_trans (normD _ _ _) _; apply: ler_add.
  by apply: (N_absolute ler01) => j; have /andP[r0 r1] := r01 j; rewrite ger0_norm.
apply: term => // [|j]; first by rewrite invr_ge0 ler0n.
by rewrite mxE normrM -[_^-1]mul1r ler_pmul ?quarter.
Qed.
End Cell.
