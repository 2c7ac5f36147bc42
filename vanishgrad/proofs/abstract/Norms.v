(* Two norms of column vectors for which a diagonal matrix stretches by its largest entry (`absolute` norms).

   Euclidean: |x|_2 is the square root of the sum of squares, over a real closed field (where square roots exist).
   Over any ordered field `sq x` is that sum itself: sq (A x) <= a^2 sq x says ||A||_2 <= a without a square root.

   Weighted maximum: |v|_x is the largest |v_i| / x_i for weights x > 0; ||A||_x <= r as soon as |A| x <= r x. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Seminorm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* |d_i| <= g for every i gives N (diag d v) <= g N v *)
Definition absolute (R : numDomainType) n (N : 'cV[R]_n -> R) :=
  forall (d : 'rV_n) g, 0 <= g -> (forall i, `|d 0 i| <= g) -> bounded N N (mulmx (diag_mx d)) g.

Section Squares.
Variables (R : realFieldType) (n : nat).
Implicit Types (x y : 'cV[R]_n) (A : 'M[R]_n).

Definition sq x : R := \sum_i x i 0 ^+ 2.
Definition dot x y : R := \sum_i x i 0 * y i 0.

Lemma sq_ge0 x : 0 <= sq x.
Proof. by apply: sumr_ge0 => i _; apply: sqr_ge0. Qed.

Lemma sqE x : sq x = (x^T *m x) 0 0.
Proof. by rewrite mxE; apply: eq_bigr => i _; rewrite mxE expr2. Qed.

Lemma sq_combination a b x y :
  sq (a *: x + b *: y) = a ^+ 2 * sq x + a * b * dot x y *+ 2 + b ^+ 2 * sq y.
Proof.
rewrite /sq /dot !mulr_sumr -sumrMnl -!big_split /=; apply: eq_bigr => i _.
by rewrite !mxE sqrrD !exprMn [a * _ * _]mulrACA.
Qed.

Theorem cauchy_schwarz x y : dot x y ^+ 2 <= sq x * sq y.
Proof.
have [sy0|sy] := eqVneq (sq y) 0.
  suff -> : dot x y = 0 by rewrite expr0n mulr_ge0 ?sq_ge0.
  rewrite /dot big1 // => i _; suff /eqP-> : y i 0 == 0 by rewrite mulr0.
  by move/psumr_eq0P: sy0 => /(_ (fun i _ => sqr_ge0 _) i isT) /eqP; rewrite sqrf_eq0.
have sy' : 0 < sq y by rewrite lt0r sy sq_ge0.
have := sq_ge0 (sq y *: x + (- dot x y) *: y); rewrite sq_combination.
rewrite sqrrN mulrN mulNr mulNrn -mulrA -expr2 mulr2n opprD addrA expr2 [_ ^+ 2 * sq y]mulrC subrK.
by rewrite -!mulrA -mulrBr pmulr_rge0 // subr_ge0 mulrC.
Qed.

(* ||A||_2 <= a iff a^2 I - A^T A is positive semidefinite *)
Lemma sq_boundedP A a :
  bounded sq sq (mulmx A) (a ^+ 2) <-> (forall x, 0 <= (x^T *m ((a ^+ 2)%:M - A^T *m A) *m x) 0 0).
Proof.
have form x : (x^T *m ((a ^+ 2)%:M - A^T *m A) *m x) 0 0 = a ^+ 2 * sq x - sq (A *m x).
  rewrite mulmxBr mulmxBl mul_mx_scalar -scalemxAl !sqE trmx_mul !mulmxA.
  by rewrite mxE [X in X + _]mxE [X in _ + X]mxE.
by split=> h x; move: (h x); rewrite ?form subr_ge0.
Qed.

Lemma sq_diag (d : 'rV_n) g : (forall i, `|d 0 i| <= g) -> bounded sq sq (mulmx (diag_mx d)) (g ^+ 2).
Proof.
move=> dg x; rewrite /sq mulr_sumr; apply: ler_sum => i _.
rewrite mul_diag_mx mxE exprMn ler_wpmul2r ?sqr_ge0 // -real_normK ?num_real //.
by rewrite ler_expn2r ?nnegrE // (le_trans _ (dg i)).
Qed.
End Squares.

Section Euclid.
Variables (R : rcfType) (n : nat).
Implicit Types x y : 'cV[R]_n.

Definition euclid_length x := Num.sqrt (sq x).

Lemma euclid_sq x : euclid_length x ^+ 2 = sq x.
Proof. by rewrite sqr_sqrtr ?sq_ge0. Qed.

Lemma euclid_bounded (A : 'M[R]_n) a : 0 <= a ->
  bounded euclid_length euclid_length (mulmx A) a <-> bounded (@sq R n) (@sq R n) (mulmx A) (a ^+ 2).
Proof.
move=> a0; split=> h x; last first.
  by apply: le_trans (ler_wsqrtr (h x)) _; rewrite sqrtrM ?sqr_ge0 // sqrtr_sqr ger0_norm.
by rewrite -!euclid_sq -exprMn ler_expn2r ?nnegrE ?mulr_ge0 ?sqrtr_ge0.
Qed.

Fact euclid0 : euclid_length 0 = 0.
Proof. by rewrite /euclid_length /sq big1 ?sqrtr0 // => i _; rewrite mxE expr0n. Qed.

Fact euclidN x : euclid_length (- x) = euclid_length x.
Proof. by congr Num.sqrt; apply: eq_bigr => i _; rewrite mxE sqrrN. Qed.

Fact euclidD x y : euclid_length (x + y) <= euclid_length x + euclid_length y.
Proof.
rewrite -(@ler_pexpn2r _ 2) ?nnegrE ?addr_ge0 ?sqrtr_ge0 // sqrrD !euclid_sq.
rewrite -[x in sq (x + _)]scale1r -[y in sq (_ + y)]scale1r sq_combination expr1n !mul1r.
rewrite ler_add2r ler_add2l ler_pmuln2r // (le_trans (ler_norm _)) //.
by rewrite -sqrtr_sqr /euclid_length -sqrtrM ?sq_ge0 // ler_wsqrtr // cauchy_schwarz.
Qed.

Definition euclid := Seminorm euclid0 euclidN euclidD.

Lemma euclid_absolute : absolute euclid.
Proof. by move=> d g g0 dg; apply/euclid_bounded => //; apply: sq_diag. Qed.
End Euclid.

Section WeightedMax.
Variables (R : realFieldType) (n : nat) (x : 'I_n -> R).
Hypothesis x0 : forall i, 0 < x i.
Implicit Types (v : 'cV[R]_n) (c : R).

Definition max_length v := \big[Num.max/0]_i (`|v i 0| / x i).

Lemma max_lengthP v c : 0 <= c -> reflect (forall i, `|v i 0| <= c * x i) (max_length v <= c).
Proof.
move=> c0; have -> : (max_length v <= c) = all (fun i => `|v i 0| <= c * x i) (index_enum _).
  rewrite /max_length; elim: (index_enum _) => [|i r IH]; first by rewrite big_nil.
  by rewrite big_cons le_maxl IH /= ler_pdivr_mulr.
by apply: (iffP allP) => h i; [apply: h; rewrite mem_index_enum|].
Qed.

Lemma max_length_ge0 v : 0 <= max_length v.
Proof.
by rewrite /max_length; elim/big_ind: _ => // [a b a0 _|i _]; rewrite ?le_maxr ?a0 // divr_ge0 // ltW.
Qed.

Lemma le_max_length v i : `|v i 0| <= max_length v * x i.
Proof. by move: i; apply/max_lengthP; rewrite ?max_length_ge0. Qed.

Fact max0 : max_length 0 = 0.
Proof.
apply/eqP; rewrite eq_le max_length_ge0 andbT; apply/max_lengthP => // i.
by rewrite mxE normr0 mul0r.
Qed.

Fact maxN v : max_length (- v) = max_length v.
Proof. by apply: eq_bigr => i _; rewrite mxE normrN. Qed.

Fact maxD u v : max_length (u + v) <= max_length u + max_length v.
Proof.
apply/max_lengthP => [|i]; first by rewrite addr_ge0 ?max_length_ge0.
by rewrite mxE mulrDl (le_trans (ler_norm_add _ _)) // ler_add ?le_max_length.
Qed.

Definition max_norm := Seminorm max0 maxN maxD.

Lemma max_absolute : absolute max_norm.
Proof.
move=> d g g0 dg v; apply/max_lengthP => [|i]; first by rewrite mulr_ge0 ?max_length_ge0.
by rewrite mul_diag_mx mxE normrM -mulrA ler_pmul ?le_max_length.
Qed.

(* additions and comparisons only *)
Lemma max_bounded (A : 'M[R]_n) r : 0 <= r ->
  (forall i, \sum_j `|A i j| * x j <= r * x i) -> bounded max_norm max_norm (mulmx A) r.
Proof.
move=> r0 rows v; apply/max_lengthP => [|i]; first by rewrite mulr_ge0 ?max_length_ge0.
rewrite mxE (le_trans (ler_norm_sum _ _ _)) //.
apply: le_trans (_ : max_norm v * (\sum_j `|A i j| * x j) <= _); last first.
  by rewrite [r * _]mulrC -mulrA ler_wpmul2l ?max_length_ge0.
by rewrite mulr_sumr ler_sum // => j _; rewrite normrM mulrCA ler_wpmul2l ?le_max_length.
Qed.
End WeightedMax.
