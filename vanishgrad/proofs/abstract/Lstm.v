(* T4.  One LSTM step moves a perturbation (dh, dc) of its state by

     dc' = F dc + C dh,    dh' = O dh + E dc',

   F = diag f, and C, O, E as in the theory (that these are the derivatives of the real LSTM is proved in real/).  Hence

     J = [O + E C, E F; C, F] = [1, E; 0, 1] [O, 0; C, F]  and  det J = det O det F,

   which with O = diag p U_o and F = diag f is det U_o times the product of all f_j p_j.  h and c may differ in size.
   `dh w v T`, `dc w v T` are the perturbations after T steps from (w, v); time is counted from k, so step s has F s, C
   s, ... and dc 0 v T is (dc_{k+T}/dc_k) v with h_k held fixed. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Chain.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Tangent.
Variables (H V : zmodType).
Variables (F : nat -> V -> V) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H).
Implicit Types (w : H) (v : V).

Fixpoint tangent w v T : H * V :=
  if T is s.+1 then
    let: (dh, dc) := tangent w v s in
    let dc' := F T dc + C T dh in (O T dh + E T dc', dc')
  else (w, v).

Definition dh w v T := (tangent w v T).1.
Definition dc w v T := (tangent w v T).2.

Lemma dcS w v T : dc w v T.+1 = F T.+1 (dc w v T) + C T.+1 (dh w v T).
Proof. by rewrite /dc /dh /=; case: tangent. Qed.

Lemma dhS w v T : dh w v T.+1 = O T.+1 (dh w v T) + E T.+1 (dc w v T.+1).
Proof. by rewrite /dc /dh /=; case: tangent. Qed.
End Tangent.

(* the same with matrices; several columns at once *)
Section Matrices.
Variables (R : ringType) (m n p : nat).
Variables (F : nat -> 'M[R]_n) (C : nat -> 'M[R]_(n, m)) (O : nat -> 'M[R]_m) (E : nat -> 'M[R]_(m, n)).

Definition lstm_dh : 'M[R]_(m, p) -> 'M[R]_(n, p) -> nat -> 'M[R]_(m, p) :=
  dh (fun s => mulmx (F s)) (fun s => mulmx (C s)) (fun s => mulmx (O s)) (fun s => mulmx (E s)).
Definition lstm_dc : 'M[R]_(m, p) -> 'M[R]_(n, p) -> nat -> 'M[R]_(n, p) :=
  dc (fun s => mulmx (F s)) (fun s => mulmx (C s)) (fun s => mulmx (O s)) (fun s => mulmx (E s)).

Lemma lstm_dcS w v T : lstm_dc w v T.+1 = F T.+1 *m lstm_dc w v T + C T.+1 *m lstm_dh w v T.
Proof. exact: dcS. Qed.

Lemma lstm_dhS w v T : lstm_dh w v T.+1 = O T.+1 *m lstm_dh w v T + E T.+1 *m lstm_dc w v T.+1.
Proof. exact: dhS. Qed.
End Matrices.

Section Block.
Variables (R : comUnitRingType) (m n : nat).
Implicit Types (F : 'M[R]_n) (C : 'M[R]_(n, m)) (O : 'M[R]_m) (E : 'M[R]_(m, n)).

Definition lstm_jacobian F C O E : 'M_(m + n) := block_mx (O + E *m C) (E *m F) C F.

Theorem T4_step F C O E (w : 'cV_m) (v : 'cV_n) (v' := F *m v + C *m w) :
  lstm_jacobian F C O E *m col_mx w v = col_mx (O *m w + E *m v') v'.
Proof.
by rewrite mul_block_col mulmxDl -!mulmxA -addrA -mulmxDr [C *m w + _]addrC.
Qed.

Theorem T4_factorisation F C O E :
  lstm_jacobian F C O E = block_mx 1%:M E 0 1%:M *m block_mx O 0 C F.
Proof. by rewrite mulmx_block !mul1mx !mul0mx !add0r. Qed.

Theorem T4_determinant F C O E : \det (lstm_jacobian F C O E) = \det O * \det F.
Proof. by rewrite T4_factorisation det_mulmx det_ublock det_lblock !det1 !mul1r. Qed.
End Block.

Corollary T4_determinant_gates (R : comUnitRingType) n (U : 'M[R]_n) (p f : 'rV_n) E C :
  \det (lstm_jacobian (diag_mx f) C (diag_mx p *m U) E) = \det U * \prod_j (f 0 j * p 0 j).
Proof.
rewrite T4_determinant det_mulmx !det_diag big_split /=.
by rewrite [\prod_j p _ _ * _]mulrC -mulrA [_ * \prod_j p _ _]mulrC.
Qed.

(* the whole product acts as the recursion does *)
Theorem T4_product (R : comUnitRingType) m n
    (F : nat -> 'M[R]_n) (C : nat -> 'M_(n, m)) (O : nat -> 'M_m) (E : nat -> 'M_(m, n)) (w : 'cV_m) (v : 'cV_n) T :
  chain (fun s => lstm_jacobian (F s) (C s) (O s) (E s)) T 0 *m col_mx w v =
  col_mx (lstm_dh F C O E w v T) (lstm_dc F C O E w v T).
Proof.
elim: T => [|T IH]; first by rewrite mul1mx.
by rewrite chainS // -mulmxA IH T4_step lstm_dhS lstm_dcS.
Qed.

(* T7 (c): however the gates are set, the determinant of the full state's Jacobian shrinks by |det U_o| / 4^n per step,
   as f <= 1 and p = o (1 - o) tanh c <= 1/4; so if |det U_o| < 4^n some direction of (h, c) dies. *)
Theorem T7_determinant (R : realFieldType) n (U : 'M[R]_n) (p f : nat -> 'rV_n) (C E : nat -> 'M[R]_n) :
  (forall s j, `|f s 0 j| <= 1) -> (forall s j, `|p s 0 j| <= 4%:R^-1) ->
  forall t k, `|\det (chain (fun s => lstm_jacobian (diag_mx (f s)) (C s) (diag_mx (p s) *m U) (E s)) t k)|
    <= (`|\det U| / 4%:R ^+ n) ^+ (t - k).
Proof.
move=> f1 p4 t k; rewrite L0_determinant -prodr_const_nat normr_prod; apply: ler_prod => s _.
rewrite normr_ge0 /= T4_determinant_gates normrM ler_wpmul2l // normr_prod.
have -> : (4%:R ^+ n)^-1 = \prod_(j < n) 4%:R^-1 :> R by rewrite prodr_const card_ord exprVn.
by apply: ler_prod => j _; rewrite normr_ge0 normrM /= -[X in _ <= X]mul1r ler_pmul.
Qed.
