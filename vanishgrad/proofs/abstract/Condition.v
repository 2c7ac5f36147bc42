(* T5 (b), an LSTM that does not forget.  In the recursion dc' = F dc + C dh, dh' = O dh + E dc' let at every step

     |F x| >= phi |x|,  |C x| <= kappa |x|,  |O x| <= omega |x|,  |E x| <= eta |x|,  omega < phi.

   If sqrt phi >= sqrt omega + sqrt (kappa eta), put tau = phi + omega - kappa eta, let rho be the larger root of rho^2
   - tau rho + omega phi, and q = eta rho / (rho - omega), which is (phi - rho) / kappa.  Then after T + 1 steps

     |dc| >= phi rho^T |v|                            from (dh, dc) = (0, v): the partial derivative dc_t / dc_k,
     |dc| >= rho^(T+1) |v|                            from (w, v) with |w| <= eta |v|: the total derivative,
     |dh| >= (e - omega q / rho) phi rho^T |v|        from (0, v), if |E x| >= e |x| at the last step.

   The rate is sharp: with scalars and C = -kappa, (q, 1) is multiplied by exactly rho in each step. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Identities Seminorm Norms Chain Lstm Conveyor Cone.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Rate.
Variables (R : rcfType) (phi kappa omega eta : R).
Add Field R_field : (field_of [fieldType of R]).
Ltac identity := decide_in [fieldType of R].

Definition cone_trace := phi + omega - kappa * eta.
Definition cone_rate := (cone_trace + Num.sqrt (cone_trace ^+ 2 - 4%:R * (omega * phi))) / 2%:R.
Definition cone_slope := eta * cone_rate / (cone_rate - omega).

Hypotheses (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta) (omega_phi : omega < phi).
Hypothesis condition : Num.sqrt omega + Num.sqrt (kappa * eta) <= Num.sqrt phi.

Let phi0 : 0 < phi := le_lt_trans omega0 omega_phi.

(* tau >= 2 sqrt (omega phi) *)
Lemma cone_trace_ge : 2%:R * (Num.sqrt omega * Num.sqrt phi) <= cone_trace.
Proof.
pose a := Num.sqrt phi; pose b := Num.sqrt omega; pose c := Num.sqrt (kappa * eta).
have -> : cone_trace = a ^+ 2 + b ^+ 2 - c ^+ 2 by rewrite !sqr_sqrtr ?mulr_ge0 // ltW.
rewrite -subr_ge0 -/a -/b.
have -> : a ^+ 2 + b ^+ 2 - c ^+ 2 - 2%:R * (b * a) = (a - (b + c)) * (a - (b + c) + 2%:R * c) by identity.
have abc : 0 <= a - (b + c) by rewrite subr_ge0.
by rewrite mulr_ge0 // addr_ge0 // mulr_ge0 ?ler0n ?sqrtr_ge0.
Qed.

Lemma cone_discriminant_ge0 : 0 <= cone_trace ^+ 2 - 4%:R * (omega * phi).
Proof.
have low := cone_trace_ge; set b := _ * _ in low.
have b0 : 0 <= b by rewrite /b !mulr_ge0 ?ler0n ?sqrtr_ge0.
have -> : 4%:R * (omega * phi) = b ^+ 2.
  by rewrite /b !exprMn !sqr_sqrtr ?(ltW phi0) // -natrX.
by rewrite subr_ge0 ler_expn2r ?nnegrE // (le_trans b0).
Qed.

Lemma cone_rate_root : cone_rate ^+ 2 - cone_trace * cone_rate + omega * phi = 0.
Proof.
have twice : Num.sqrt (cone_trace ^+ 2 - 4%:R * (omega * phi)) = 2%:R * cone_rate - cone_trace.
  by rewrite /cone_rate [2%:R * _]mulrC divfK ?pnatr_eq0 // [_ + Num.sqrt _]addrC addrK.
have := sqr_sqrtr cone_discriminant_ge0; rewrite {}twice => /eqP; rewrite -subr_eq0.
have -> : (2%:R * cone_rate - cone_trace) ^+ 2 - (cone_trace ^+ 2 - 4%:R * (omega * phi)) =
  4%:R * (cone_rate ^+ 2 - cone_trace * cone_rate + omega * phi) by identity.
by rewrite mulf_eq0 pnatr_eq0 => /eqP.
Qed.

Lemma cone_rate_ge : Num.sqrt omega * Num.sqrt phi <= cone_rate.
Proof.
rewrite /cone_rate ler_pdivl_mulr ?ltr0n // mulrC; apply: le_trans cone_trace_ge _.
by rewrite ler_addl sqrtr_ge0.
Qed.

Lemma cone_rate_ge0 : 0 <= cone_rate.
Proof. by apply: le_trans cone_rate_ge; rewrite mulr_ge0 ?sqrtr_ge0. Qed.

Lemma cone_rate_gt_omega : 0 < cone_rate -> omega < cone_rate.
Proof.
move=> rate0; have [<- //|omega_pos] := eqVneq 0 omega.
have {}omega_pos : 0 < omega by rewrite lt0r eq_sym omega_pos.
apply: lt_le_trans cone_rate_ge; rewrite -{1}(sqr_sqrtr omega0) expr2.
by rewrite ltr_pmul2l ?sqrtr_gt0 // ltr_sqrt.
Qed.

(* q* = (phi - rho) / kappa, where kappa is not 0 *)
Lemma cone_slope_kappa : 0 < cone_rate -> kappa * cone_slope = phi - cone_rate.
Proof.
move=> rate0; have gap := cone_rate_gt_omega rate0.
have gap0 : cone_rate - omega <> 0 by apply/eqP; rewrite subr_eq0 gt_eqF.
have := cone_rate_root; rewrite /cone_slope /cone_trace; move: (cone_rate) gap0 => rho gap0 root.
apply/eqP; rewrite -subr_eq0; apply/eqP.
have -> : kappa * (eta * rho / (rho - omega)) - (phi - rho) =
  (rho ^+ 2 - (phi + omega - kappa * eta) * rho + omega * phi) / (rho - omega) by identity.
by rewrite root mul0r.
Qed.

Lemma cone_slope_fixed : 0 < cone_rate -> eta + omega * (cone_slope / cone_rate) = cone_slope.
Proof.
move=> rate0; have gap := cone_rate_gt_omega rate0; rewrite /cone_slope.
have gap0 : cone_rate - omega <> 0 by apply/eqP; rewrite subr_eq0 gt_eqF.
have rho0 : cone_rate <> 0 by apply/eqP; rewrite gt_eqF.
by move: (cone_rate) gap0 rho0 => rho gap0 rho0; identity.
Qed.

Lemma cone_slope_ge : 0 < cone_rate -> eta <= cone_slope.
Proof.
move=> rate0; have gap := cone_rate_gt_omega rate0.
by rewrite /cone_slope ler_pdivl_mulr ?subr_gt0 // ler_wpmul2l // ger_addl oppr_le0.
Qed.
Theorem T5_sharp T (scale := fun (a : R) (_ : nat) x => a * x) : 0 < cone_rate ->
  dc (scale phi) (scale (- kappa)) (scale omega) (scale eta) cone_slope 1 T = cone_rate ^+ T.
Proof.
move=> pos; have fixed := cone_slope_fixed pos; have fall := cone_slope_kappa pos.
have rho0 : cone_rate != 0 by rewrite gt_eqF.
move: cone_slope cone_rate rho0 fixed fall => q rho rho0 fixed fall.
pose c := dc (scale phi) (scale (- kappa)) (scale omega) (scale eta) q 1.
pose h := dh (scale phi) (scale (- kappa)) (scale omega) (scale eta) q 1.
suff [] : c T = rho ^+ T /\ h T = q * rho ^+ T by [].
elim: T => [|T [IHc IHh]]; first by rewrite mulr1.
have IHc' : c T.+1 = rho ^+ T.+1 by rewrite /c dcS -/(c T) -/(h T) IHc IHh /scale mulNr mulrA fall -mulrBl subKr -exprS.
split=> //; rewrite /h dhS -/(c T.+1) -/(h T) IHc' IHh /scale exprS !mulrA -mulrDl; congr (_ * _).
by rewrite -[in RHS]fixed mulrDl -!mulrA mulVf // mulr1 addrC.
Qed.
End Rate.

Section Condition.
Variables (R : rcfType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V).
Variables (F : nat -> V -> V) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H).
Variables phi kappa omega eta : R.
Hypotheses (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta) (omega_phi : omega < phi).
Hypotheses (hF : forall s, expands Nc Nc (F s) phi) (hC : forall s, bounded Nh Nc (C s) kappa).
Hypotheses (hO : forall s, bounded Nh Nh (O s) omega) (hE : forall s, bounded Nc Nh (E s) eta).
Hypothesis condition : Num.sqrt omega + Num.sqrt (kappa * eta) <= Num.sqrt phi.
Local Notation rho := (cone_rate phi kappa omega eta).
Local Notation q := (cone_slope phi kappa omega eta).

Let rho0 : rho = 0 \/ 0 < rho.
Proof.
by move: (cone_rate_ge0 kappa0 omega0 eta0 omega_phi condition); rewrite le_eqVlt => /predU1P[<-|]; [left|right].
Qed.

Let cone : 0 < rho -> [/\ 0 <= q, rho <= phi - kappa * q & eta + omega * (q / rho) <= q].
Proof.
move=> pos; split; first exact: le_trans eta0 (cone_slope_ge _ _ _ _ _ pos).
  by rewrite cone_slope_kappa // subKr.
by rewrite cone_slope_fixed.
Qed.

(* dc_t / dc_k with h_k held fixed *)
Theorem T5_condition v T : phi * rho ^+ T * Nc v <= Nc (dc F C O E 0 v T.+1).
Proof.
have [r0|pos] := rho0; last first.
  by have [q0 hrho hq] := cone pos; have [] := T5_cone_partial kappa0 omega0 hF hC hO hE q0 pos hrho hq v T.
rewrite r0; case: T => [|T]; last by rewrite exprS mul0r mulr0 mul0r norm_ge0.
rewrite expr0 mulr1 dcS; apply: le_trans (norm_sub _ _ _).
by rewrite -[X in X <= _]subr0; apply: ler_sub (hF _ _) (le_trans (hC _ _) _); rewrite norm0 mulr0.
Qed.

(* dc_t / dc_k in total: h_k moves with c_k *)
Theorem T5_condition_total w v T : Nh w <= eta * Nc v -> rho ^+ T * Nc v <= Nc (dc F C O E w v T).
Proof.
move=> start; have [r0|pos] := rho0; last first.
  have [q0 hrho hq] := cone pos.
  have [|//] := @T5_cone _ _ _ Nh Nc F C O E _ _ _ _ kappa0 omega0 hF hC hO hE _ _ q0 pos hrho hq w v T.
  by apply: le_trans start _; rewrite ler_wpmul2r ?norm_ge0 ?cone_slope_ge.
by rewrite r0; case: T => [|T]; rewrite ?expr0 ?mul1r // exprS mul0r mul0r norm_ge0.
Qed.

(* dh_t / dc_k, where sigma_min (E_t) >= e *)
Theorem T5_condition_h v T e : 0 <= e -> (forall x, e * Nc x <= Nh (E T.+1 x)) ->
  (e - omega * (q / rho)) * (phi * rho ^+ T * Nc v) <= Nh (dh F C O E 0 v T.+1).
Proof.
move=> e0 he; have [r0|pos] := rho0; last first.
  by have [q0 hrho hq] := cone pos; exact: (T5_cone_h kappa0 omega0 hF hC hO hE q0 pos hrho hq v he).
rewrite r0 invr0 !mulr0 subr0; case: T he => [|T] he; last by rewrite exprS mul0r mulr0 mul0r mulr0 norm_ge0.
rewrite dhS addrC; apply: le_trans (norm_sub _ _ _).
rewrite -[X in X <= _]subr0; apply: ler_sub; last by apply: le_trans (hO _ _) _; rewrite norm0 mulr0.
by apply: le_trans (he _); rewrite ler_wpmul2l //; have := T5_condition v 0; rewrite r0.
Qed.
End Condition.

Local Notation size := euclid_length.

(* the same about the block of J_{t:k}, in the Euclidean norm: sigma_min (dc_t / dc_k) >= phi rho^T *)
Corollary T5_condition_matrices (R : rcfType) m n
    (f : nat -> 'rV[R]_n) (C : nat -> 'M_(n, m)) (O : nat -> 'M_m) (E : nat -> 'M_(m, n)) phi kappa omega eta
    (J := chain (fun s => lstm_jacobian (diag_mx (f s)) (C s) (O s) (E s))) :
  0 <= kappa -> 0 <= omega -> 0 <= eta -> omega < phi ->
  (forall s j, phi <= f s 0 j) -> (forall s x, size (C s *m x) <= kappa * size x) ->
  (forall s x, size (O s *m x) <= omega * size x) -> (forall s x, size (E s *m x) <= eta * size x) ->
  Num.sqrt omega + Num.sqrt (kappa * eta) <= Num.sqrt phi ->
  forall T v, phi * cone_rate phi kappa omega eta ^+ T * size v <= size (dsubmx (J T.+1 0%N *m col_mx 0 v)).
Proof.
move=> k0 o0 e0 op hf hC hO hE condition T v; rewrite /J T4_product col_mxKd.
apply: (@T5_condition _ _ _ (euclid R m) (euclid R n)) => // s x.
apply: absolute_expands (le_lt_trans o0 op) _ _ => [|j]; first exact: euclid_absolute.
exact: le_trans (hf s j) (ler_norm _).
Qed.
