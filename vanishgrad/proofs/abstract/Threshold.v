(* T7 (a), an LSTM that forgets: the exact threshold.  In the recursion dc' = F dc + C dh, dh' = O dh + E dc' let

     |F x| <= phi |x|,  |C x| <= kappa |x|,  |O x| <= omega |x|,  |E x| <= eta |x|,  phi, omega < 1      at every step,

   and M+ = [omega + eta kappa, eta phi; kappa, phi].  The following are equivalent:

     kappa eta < (1 - phi) (1 - omega);
     M+ (p, q) <= lambda (p, q) for some p, q > 0 and lambda < 1;
     the spectral radius (tau + sqrt (tau^2 - 4 omega phi)) / 2 of M+ is < 1, tau = phi + omega + kappa eta;

   and then |dh_T|, |dc_T| <= lambda^T K (|dh_0| + |dc_0|) for some K and lambda < 1, from any start. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
From VG.abstract Require Import Identities Seminorm Lstm Majorant.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Threshold.
Variables (R : realFieldType) (phi kappa omega eta : R).
Hypotheses (phi0 : 0 <= phi) (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta).
Hypotheses (phi1 : phi < 1) (omega1 : omega < 1).

Definition contracts := exists p q lambda, [/\ 0 < p, 0 < q, 0 <= lambda < 1,
  phi * q + kappa * p <= lambda * q & omega * p + eta * (phi * q + kappa * p) <= lambda * p].

(* p = 1; with q = kappa / (1 - phi) row c is an equality for lambda = 1 and row h has slack: q may be larger *)
Theorem T7_sufficient : kappa * eta < (1 - phi) * (1 - omega) -> contracts.
Proof.
move=> small; have gap : 0 < 1 - phi by rewrite subr_gt0.
pose q0 := kappa / (1 - phi); have q00 : 0 <= q0 by rewrite divr_ge0 // ltW.
have fixed : phi * q0 + kappa = q0.
  have cancel : q0 * (1 - phi) = kappa by rewrite divfK // lt0r_neq0.
  by rewrite -[X in _ + X]cancel [phi * _]mulrC -mulrDr [phi + _]addrC subrK mulr1.
pose slack := 1 - (omega + eta * q0).
have slack0 : 0 < slack.
  by rewrite subr_gt0 addrC -ltr_subr_addr /q0 mulrA ltr_pdivr_mulr // [eta * _]mulrC [X in _ < X]mulrC.
have den0 : 0 < eta * phi + 1 by rewrite ltr_paddl ?mulr_ge0 ?ltr01.
pose more := slack / (eta * phi + 1); have more0 : 0 < more by rewrite divr_gt0.
pose q := q0 + more; have qpos : 0 < q by rewrite ltr_paddl.
pose row := phi * q + kappa.
have row0 : 0 <= row by rewrite addr_ge0 ?mulr_ge0 // ltW.
have rowE : row = q0 + phi * more by rewrite /row /q mulrDr addrAC fixed.
have c1 : row / q < 1.
  by rewrite ltr_pdivr_mulr // mul1r rowE /q ltr_add2l -[X in _ < X]mul1r ltr_pmul2r.
have h1 : omega + eta * row < 1.
  rewrite rowE mulrDr addrA -ltr_subr_addl -/slack mulrA /more mulrA ltr_pdivr_mulr //.
  by rewrite mulrC ltr_pmul2l // ltr_addl ltr01.
exists 1, q, (Num.max (row / q) (omega + eta * row)); rewrite ltr01 !mulr1 -/row; split=> //.
- by rewrite lt_maxl c1 h1 le_maxr divr_ge0 // ltW.
- by rewrite -ler_pdivr_mulr // le_maxr lexx.
- by rewrite le_maxr lexx orbT.
Qed.

Theorem T7_necessary : contracts -> kappa * eta < (1 - phi) * (1 - omega).
Proof.
case=> p [q [lambda [p0 q0 /andP[_ lambda1] row_c row_h]]]; set row := phi * q + _ in row_c row_h.
have gap : 0 < 1 - phi by rewrite subr_gt0.
have c : kappa * p <= (1 - phi) * q.
  rewrite mulrBl mul1r ler_subr_addl; apply: le_trans row_c _.
  by rewrite -[X in _ <= X]mul1r; apply: ler_wpmul2r; apply: ltW.
have row_ge : kappa * p <= (1 - phi) * row.
  rewrite /row mulrDr mulrCA [X in _ <= _ + X]mulrBl mul1r addrCA ler_addl subr_ge0.
  exact: ler_wpmul2l.
have h : eta * row < (1 - omega) * p.
  rewrite mulrBl mul1r ltr_subr_addl; apply: le_lt_trans row_h _.
  by rewrite -[X in _ < X]mul1r ltr_pmul2r.
rewrite -(ltr_pmul2r p0) [kappa * _]mulrC -!mulrA; apply: le_lt_trans (ler_wpmul2l eta0 row_ge) _.
by rewrite mulrCA ltr_pmul2l.
Qed.

Corollary T7_condition : contracts <-> kappa * eta < (1 - phi) * (1 - omega).
Proof. by split; [exact: T7_necessary|exact: T7_sufficient]. Qed.
End Threshold.

(* end to end: below the threshold every gradient vanishes *)
Theorem T7_rate (R : realFieldType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V)
    (F : nat -> V -> V) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H) phi kappa omega eta :
  0 <= phi < 1 -> 0 <= kappa -> 0 <= omega < 1 -> 0 <= eta ->
  (forall s, bounded Nc Nc (F s) phi) -> (forall s, bounded Nh Nc (C s) kappa) ->
  (forall s, bounded Nh Nh (O s) omega) -> (forall s, bounded Nc Nh (E s) eta) ->
  kappa * eta < (1 - phi) * (1 - omega) ->
  exists K lambda, 0 <= lambda < 1 /\ forall w v T,
    Nh (dh F C O E w v T) <= lambda ^+ T * (K * (Nh w + Nc v)) /\
    Nc (dc F C O E w v T) <= lambda ^+ T * (K * (Nh w + Nc v)).
Proof.
case/andP=> phi0 phi1 kappa0 /andP[omega0 omega1] eta0 hF hC hO hE.
case/(T7_sufficient phi0 kappa0 eta0 phi1) => p [q [lambda [p0 q0 /andP[l0 l1] row_c row_h]]].
pose c := p^-1 + q^-1; have c0 : 0 < c by rewrite addr_gt0 ?invr_gt0.
have cp : 1 <= c * p by rewrite mulrDl mulVf ?gt_eqF // ler_addl mulr_ge0 ?invr_ge0 // ltW.
have cq : 1 <= c * q by rewrite mulrDl mulVf ?gt_eqF // ler_addr mulr_ge0 ?invr_ge0 // ltW.
exists (c * (p + q)), lambda; rewrite l0 l1; split=> // w v T.
have size0 : 0 <= Nh w + Nc v by rewrite addr_ge0 ?norm_ge0.
have cs0 : 0 <= (Nh w + Nc v) * c by rewrite mulr_ge0 // ltW.
have [||h d] := T7_vanishing phi0 kappa0 omega0 eta0 hF hC hO hE l0 row_c row_h (w := w) (v := v) T cs0.
- rewrite -mulrA -[X in X <= _]mulr1; apply: ler_pmul; rewrite ?norm_ge0 ?ler01 //.
  by rewrite ler_addl norm_ge0.
- rewrite -mulrA -[X in X <= _]mulr1; apply: ler_pmul; rewrite ?norm_ge0 ?ler01 //.
  by rewrite ler_addr norm_ge0.
have widen x : x <= p + q -> (Nh w + Nc v) * c * x <= c * (p + q) * (Nh w + Nc v).
  by move=> small; rewrite [c * _ * _]mulrC mulrA ler_wpmul2l.
split; [apply: le_trans h _|apply: le_trans d _]; rewrite ler_wpmul2l ?exprn_ge0 // widen //.
- by rewrite ler_addl ltW.
- by rewrite ler_addr ltW.
Qed.

Section Radius.
Variables (R : rcfType) (phi kappa omega eta : R).
Hypotheses (phi0 : 0 <= phi) (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta).
Hypotheses (phi1 : phi < 1) (omega1 : omega < 1).
Add Field R_field : (field_of [fieldType of R]).
Ltac identity := decide_in [fieldType of R].

Definition majorant_trace := phi + omega + kappa * eta.
Definition majorant_radius := (majorant_trace + Num.sqrt (majorant_trace ^+ 2 - 4%:R * (omega * phi))) / 2%:R.

Let disc := majorant_trace ^+ 2 - 4%:R * (omega * phi).

Lemma majorant_discriminant_ge0 : 0 <= disc.
Proof.
have -> : disc = (phi - omega) ^+ 2 + kappa * eta * (2%:R * (phi + omega) + kappa * eta).
  by rewrite /disc /majorant_trace; identity.
by rewrite addr_ge0 ?sqr_ge0 // mulr_ge0 ?mulr_ge0 // addr_ge0 ?mulr_ge0 ?ler0n ?addr_ge0.
Qed.

Let twice : Num.sqrt disc = 2%:R * majorant_radius - majorant_trace.
Proof. by rewrite /majorant_radius [2%:R * _]mulrC divfK ?pnatr_eq0 // [_ + Num.sqrt _]addrC addrK. Qed.

Let poly x := x ^+ 2 - majorant_trace * x + omega * phi.

Lemma majorant_radius_root : poly majorant_radius = 0.
Proof.
have := sqr_sqrtr majorant_discriminant_ge0; rewrite twice => /eqP; rewrite -subr_eq0.
have -> : (2%:R * majorant_radius - majorant_trace) ^+ 2 - disc = 4%:R * poly majorant_radius.
  by rewrite /disc /poly; identity.
by rewrite mulf_eq0 pnatr_eq0 => /eqP.
Qed.

Lemma majorant_radius_ge0 : 0 <= majorant_radius.
Proof. by rewrite divr_ge0 ?ler0n // addr_ge0 ?sqrtr_ge0 // !addr_ge0 ?mulr_ge0. Qed.

(* the other root *)
Lemma majorant_radius_larger : 0 <= majorant_trace - majorant_radius <= majorant_radius.
Proof.
have half : majorant_trace <= 2%:R * majorant_radius by rewrite -subr_ge0 -twice sqrtr_ge0.
apply/andP; split; last by rewrite ler_subl_addr -mulr2n -mulr_natl.
move: majorant_radius_ge0; rewrite le_eqVlt => /predU1P[<-|pos].
  by rewrite subr0 !addr_ge0 ?mulr_ge0.
rewrite -(pmulr_rge0 _ pos).
have -> : majorant_radius * (majorant_trace - majorant_radius) = omega * phi - poly majorant_radius.
  by rewrite /poly; identity.
by rewrite majorant_radius_root subr0 mulr_ge0.
Qed.

(* rho bounds the eigenvalues x of M+ and is one of them *)
Theorem T7_spectrum x p q : (p != 0) || (q != 0) ->
  phi * q + kappa * p = x * q -> omega * p + eta * (phi * q + kappa * p) = x * p -> 0 <= x <= majorant_radius.
Proof.
move=> nonzero row_c; rewrite row_c => row_h.
have /eqP : poly x = 0.
  have cp : kappa * p = (x - phi) * q by rewrite mulrBl -row_c addrC addKr.
  have hq : eta * (x * q) = (x - omega) * p by rewrite mulrBl -row_h addrC addKr.
  case/orP: nonzero => [p0|q0]; [apply: (mulfI p0)|apply: (mulfI q0)]; rewrite mulr0 /poly /majorant_trace.
    have -> : p * (x ^+ 2 - (phi + omega + kappa * eta) * x + omega * phi) =
      (x - phi) * ((x - omega) * p) - eta * x * (kappa * p) by identity.
    by rewrite -hq cp; identity.
  have -> : q * (x ^+ 2 - (phi + omega + kappa * eta) * x + omega * phi) =
    (x - omega) * ((x - phi) * q) - kappa * (eta * (x * q)) by identity.
  by rewrite -cp hq; identity.
have -> : poly x = (x - majorant_radius) * (x - (majorant_trace - majorant_radius)) + poly majorant_radius.
  by rewrite /poly; identity.
have /andP[other0 other] := majorant_radius_larger.
rewrite majorant_radius_root addr0 mulf_eq0 !subr_eq0 => /orP[]/eqP->; last by rewrite other0.
by rewrite majorant_radius_ge0 lexx.
Qed.

Theorem T7_spectrum_attained (p := majorant_radius - phi) (q := kappa) (x := majorant_radius) :
  phi * q + kappa * p = x * q /\ omega * p + eta * (phi * q + kappa * p) = x * p.
Proof.
split; first by rewrite /p /q /x; identity.
apply/eqP; rewrite eq_sym -subr_eq0 -[X in _ == X]majorant_radius_root; apply/eqP.
by rewrite /p /q /x /poly /majorant_trace; identity.
Qed.

Theorem T7_threshold : majorant_radius < 1 <-> kappa * eta < (1 - phi) * (1 - omega).
Proof.
have value : (1 - phi) * (1 - omega) - kappa * eta = ((2%:R - majorant_trace) ^+ 2 - Num.sqrt disc ^+ 2) / 4%:R.
  have n4 : 4%:R != 0 :> R by rewrite pnatr_eq0.
  rewrite sqr_sqrtr ?majorant_discriminant_ge0 //; apply: (mulIf n4).
  by rewrite divfK // /disc /majorant_trace; identity.
have below1 : (majorant_radius < 1) = (Num.sqrt disc < 2%:R - majorant_trace).
  by rewrite /majorant_radius ltr_pdivr_mulr ?ltr0n // mul1r -ltr_subr_addl.
rewrite below1 -[kappa * eta < _]subr_gt0; split=> [lt|small].
  rewrite value divr_gt0 ?ltr0n // subr_gt0 ltr_pexpn2r ?nnegrE ?sqrtr_ge0 //.
  exact: le_trans (sqrtr_ge0 _) (ltW lt).
have room : 0 < 2%:R - majorant_trace.
  have -> : 2%:R - majorant_trace = ((1 - phi) * (1 - omega) - kappa * eta) + (1 - phi * omega).
    by rewrite /majorant_trace; identity.
  by rewrite ltr_paddr // subr_ge0 mulr_ile1 // ltW.
move: small; rewrite value pmulr_lgt0 ?invr_gt0 ?ltr0n // subr_gt0.
by rewrite ltr_pexpn2r ?nnegrE ?sqrtr_ge0 // ltW.
Qed.
End Radius.
