(* T5 (b), an LSTM that does not forget.  In the recursion dc' = F dc + C dh, dh' = O dh + E dc' let

     |F x| >= phi |x|,  |C x| <= kappa |x|,  |O x| <= omega |x|,  |E x| <= eta |x|      at every step.

   If sqrt phi >= sqrt omega + sqrt (kappa eta), put tau = phi + omega - kappa eta and let rho be the larger root of
   rho^2 - tau rho + omega phi.  Then after T >= 1 steps from (dh, dc) = (0, v)

     |dc_T| >= phi rho^(T-1) |v|    and    |dh_T| >= (e - omega q / rho) phi rho^(T-1) |v|   if |E_T x| >= e |x|,

   where q = eta rho / (rho - omega); and |dc_T| >= rho^T |v| from any start with |dh| <= q |dc|, thus for the total derivative,
   where |dh| <= eta |dc|.  The cone |dh| <= q |dc| is what the recursion never leaves.

   (b') is the same with the numbers of each step.  The rate is sharp: with scalars and C = -kappa it is attained. *)
From mathcomp Require Import all_ssreflect all_algebra.
From VG.abstract Require Import Identities Seminorm Norms Chain Lstm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section OneStep.
Variables (R : realFieldType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V).
Variables (F : V -> V) (C : H -> V) (O : H -> H) (E : V -> H) (phi kappa omega eta : R).
Hypotheses (kappa0 : 0 <= kappa) (omega0 : 0 <= omega).
Hypotheses (hF : expands Nc Nc F phi) (hC : bounded Nh Nc C kappa).
Hypotheses (hO : bounded Nh Nh O omega) (hE : bounded Nc Nh E eta).

Lemma cone_step q delta w v : 0 <= q -> 0 < delta -> delta <= phi - kappa * q -> Nh w <= q * Nc v ->
  delta * Nc v <= Nc (F v + C w) /\
  Nh (O w + E (F v + C w)) <= (eta + omega * (q / delta)) * Nc (F v + C w).
Proof.
move=> q0 delta0 hdelta wv; set v' := F v + C w.
have grow : delta * Nc v <= Nc v'.
  apply: le_trans (norm_sub _ _ _); apply: le_trans (ler_sub (hF _) (hC _)).
  apply: le_trans (ler_wpmul2r (norm_ge0 _ _) hdelta) _.
  by rewrite mulrBl ler_sub // -mulrA ler_wpmul2l.
split=> //; apply: le_trans (normD _ _ _) _; apply: le_trans (ler_add (hO _) (hE _)) _.
rewrite mulrDl addrC ler_add2l -mulrA ler_wpmul2l //.
by apply: le_trans wv _; rewrite -mulrA ler_wpmul2l // ler_pdivl_mull.
Qed.
End OneStep.

Section StepByStep.
Variables (R : realFieldType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V).
Variables (F : nat -> V -> V) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H).
Variables phi kappa omega eta : nat -> R.
Hypotheses (kappa0 : forall s, 0 <= kappa s) (omega0 : forall s, 0 <= omega s) (eta0 : forall s, 0 <= eta s).
Hypotheses (hF : forall s, expands Nc Nc (F s) (phi s)) (hC : forall s, bounded Nh Nc (C s) (kappa s)).
Hypotheses (hO : forall s, bounded Nh Nh (O s) (omega s)) (hE : forall s, bounded Nc Nh (E s) (eta s)).

(* q_s and delta_{s+1} *)
Fixpoint slope s := if s is r.+1 then eta s + omega s * (slope r / (phi s - kappa s * slope r)) else 0.
Definition growth s := phi s.+1 - kappa s.+1 * slope s.

Theorem T5_trajectory v T : (forall s, (s < T)%N -> 0 < growth s) ->
  (\prod_(s < T) growth s) * Nc v <= Nc (dc F C O E 0 v T).
Proof.
suff claim : (forall s, (s < T)%N -> 0 < growth s) ->
    [/\ 0 <= slope T, (\prod_(s < T) growth s) * Nc v <= Nc (dc F C O E 0 v T) &
     Nh (dh F C O E 0 v T) <= slope T * Nc (dc F C O E 0 v T)] by move=> /claim[].
elim: T => [|T IH] pos; first by rewrite big_ord0 mul1r mul0r norm0.
have [|q0 low cone] := IH; first by move=> s sT; apply: pos (ltnW _).
have growT := pos T (ltnSn T).
have [grow slim] := cone_step (kappa0 T.+1) (omega0 T.+1) (hF T.+1) (hC T.+1) (hO T.+1) (hE T.+1) q0 growT (lexx _) cone.
split; first by rewrite addr_ge0 ?mulr_ge0 // invr_ge0 // ltW.
- by rewrite big_ord_recr /= mulrAC mulrC dcS; apply: le_trans grow; rewrite ler_wpmul2l // ltW.
- by rewrite dhS dcS.
Qed.
End StepByStep.

Section Cone.
Variables (R : realFieldType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V).
Variables (F : nat -> V -> V) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H).
Variables phi kappa omega eta : R.
Hypotheses (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta).
Hypotheses (hF : forall s, expands Nc Nc (F s) phi) (hC : forall s, bounded Nh Nc (C s) kappa).
Hypotheses (hO : forall s, bounded Nh Nh (O s) omega) (hE : forall s, bounded Nc Nh (E s) eta).
Local Notation dh := (dh F C O E).
Local Notation dc := (dc F C O E).

(* any two numbers that make the cone invariant *)
Variables q delta : R.
Hypotheses (q0 : 0 <= q) (delta0 : 0 < delta).
Hypotheses (hdelta : delta <= phi - kappa * q) (hq : eta + omega * (q / delta) <= q).

Let cone_next w v T : Nh (dh w v T) <= q * Nc (dc w v T) ->
  delta * Nc (dc w v T) <= Nc (dc w v T.+1) /\ Nh (dh w v T.+1) <= q * Nc (dc w v T.+1).
Proof.
move=> cone; have [grow slim] := cone_step kappa0 omega0 (hF T.+1) (hC T.+1) (hO T.+1) (hE T.+1) q0 delta0 hdelta cone.
by rewrite dhS dcS; split=> //; apply: le_trans slim _; rewrite ler_wpmul2r ?norm_ge0.
Qed.

Theorem T5_cone w v T : Nh w <= q * Nc v ->
  delta ^+ T * Nc v <= Nc (dc w v T) /\ Nh (dh w v T) <= q * Nc (dc w v T).
Proof.
move=> start; elim: T => [|T [low cone]]; first by rewrite expr0 mul1r.
have [grow cone'] := cone_next cone; split=> //.
by rewrite exprS -mulrA; apply: le_trans grow; rewrite ler_wpmul2l // ltW.
Qed.

Let phi0 : 0 < phi.
Proof. by apply: lt_le_trans delta0 (le_trans hdelta _); rewrite ger_addl oppr_le0 mulr_ge0. Qed.

Let first_step v : phi * Nc v <= Nc (dc 0 v 1) /\ Nh (dh 0 v 1) <= eta * Nc (dc 0 v 1).
Proof.
have start : Nh 0 <= 0 * Nc v by rewrite norm0 mul0r.
have slack : phi <= phi - kappa * 0 by rewrite mulr0 subr0.
have := cone_step kappa0 omega0 (hF 1) (hC 1) (hO 1) (hE 1) (lexx 0) phi0 slack start.
by rewrite mul0r mulr0 addr0.
Qed.

Let eta_q : eta <= q.
Proof. by apply: le_trans hq; rewrite ler_addl mulr_ge0 ?divr_ge0 // ltW. Qed.

Theorem T5_cone_partial v T :
  phi * delta ^+ T * Nc v <= Nc (dc 0 v T.+1) /\ Nh (dh 0 v T.+1) <= q * Nc (dc 0 v T.+1).
Proof.
elim: T => [|T [low cone]].
  have [low cone] := first_step v; rewrite expr0 mulr1; split=> //.
  by apply: le_trans cone _; rewrite ler_wpmul2r ?norm_ge0.
have [grow cone'] := cone_next cone; split=> //.
by rewrite exprS mulrCA -mulrA; apply: le_trans grow; rewrite ler_wpmul2l // ltW.
Qed.

Theorem T5_cone_h v T e : (forall x, e * Nc x <= Nh (E T.+1 x)) ->
  (e - omega * (q / delta)) * (phi * delta ^+ T * Nc v) <= Nh (dh 0 v T.+1).
Proof.
move=> he; set margin := e - _; have [low _] := T5_cone_partial v T.
suff hgrow : margin * Nc (dc 0 v T.+1) <= Nh (dh 0 v T.+1).
  have [m0|m0] := lerP 0 margin; first by apply: le_trans hgrow; rewrite ler_wpmul2l.
  apply: le_trans (norm_ge0 Nh _); apply: mulr_le0_ge0 (ltW m0) _.
  by rewrite !mulr_ge0 ?norm_ge0 ?exprn_ge0 ?(ltW phi0) ?(ltW delta0).
have before : Nh (dh 0 v T) <= q / delta * Nc (dc 0 v T.+1).
  case: T {he margin low} => [|T].
    by rewrite norm0 mulr_ge0 ?norm_ge0 ?divr_ge0 // ltW.
  have [_ cone] := T5_cone_partial v T; have [grow _] := cone_next cone.
  by apply: le_trans cone _; rewrite -mulrA ler_wpmul2l // ler_pdivl_mull.
rewrite dhS addrC; apply: le_trans (norm_sub _ _ _); apply: le_trans (ler_sub (he _) (hO _ _)).
by rewrite mulrBl ler_sub // -mulrA ler_wpmul2l.
Qed.
End Cone.

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
