(* T5 (a), the conveyor.  If phi <= f_{s,j} for all steps s and units j, then |F_{t:k} x| >= phi^(t-k) |x| in every
   absolute norm; unit j is carried over exactly the product of its own forget gates. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm Chain Norms.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Lemma absolute_expands (R : realFieldType) n (N : 'cV[R]_n -> R) (f : 'rV_n) phi : absolute N ->
  0 < phi -> (forall j, phi <= `|f 0 j|) -> expands N N (mulmx (diag_mx f)) phi.
Proof.
move=> N_absolute phi0 hf x; have f0 j : f 0 j != 0 by rewrite -normr_gt0 (lt_le_trans phi0).
pose f' := \row_j (f 0 j)^-1; have inv0 : 0 <= phi^-1 by rewrite invr_ge0 ltW.
have hf' j : `|f' 0 j| <= phi^-1 by rewrite mxE normfV lef_pinv ?posrE ?normr_gt0.
have := N_absolute f' _ inv0 hf' (diag_mx f *m x); rewrite mulmxA.
have -> : diag_mx f' *m diag_mx f = 1%:M.
  apply/matrixP=> i j; rewrite mul_diag_mx !mxE.
  by case: eqP => [->|_]; rewrite ?mulr0 // mulr1n mulVf.
by rewrite mul1mx ler_pdivl_mull.
Qed.

Theorem T5_conveyor (R : realFieldType) n (N : 'cV[R]_n -> R) (f : nat -> 'rV_n) phi : absolute N ->
  0 < phi -> (forall s j, phi <= f s 0 j) ->
  forall t k x, phi ^+ (t - k) * N x <= N (chain (fun s => diag_mx (f s)) t k *m x).
Proof.
move=> N_absolute phi0 hf; apply: L0_lower_rate => [|s]; first exact: ltW.
by apply: absolute_expands => // j; apply: le_trans (hf s j) (ler_norm _).
Qed.

Theorem T5_conveyor_exact (R : comRingType) n (f : nat -> 'rV[R]_n) t k :
  chain (fun s => diag_mx (f s)) t k = diag_mx (\row_j \prod_(k <= s < t) f s.+1 0 j).
Proof.
elim: t => [|t IH].
  by rewrite chain_early //; apply/matrixP=> i j; rewrite !mxE big_geq.
case: (leqP k t) => kt; last by rewrite chain_early //; apply/matrixP=> i j; rewrite !mxE big_geq.
rewrite chainS // IH; apply/matrixP=> i j; rewrite mul_diag_mx !mxE big_nat_recr //= mulrnAr mulrC.
by case: eqP => // ->.
Qed.
