(* T5 (b), the cone.  In the recursion dc' = F dc + C dh, dh' = O dh + E dc' let at every step

     |F x| >= phi |x|,  |C x| <= kappa |x|,  |O x| <= omega |x|,  |E x| <= eta |x|.

   If 0 < delta <= phi - kappa q and eta + omega q / delta <= q, the recursion never leaves the cone |dh| <= q |dc|, and
   there |dc| grows by at least delta per step.  From (0, v) the first step even has the factor phi, and after T + 1
   steps |dh| >= (e - omega q / delta) phi delta^T |v| if |E x| >= e |x|.  Condition.v finds the best q and delta.

   (b') is the same with the numbers of each step: q_0 = 0 and

     delta_s = phi_s - kappa_s q_{s-1},  q_s = eta_s + omega_s q_{s-1} / delta_s;

   while all delta_s > 0, |dc_T| >= delta_1 ... delta_T |v|. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
From VG.abstract Require Import Seminorm Lstm.
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
have [grow slim] := cone_step (kappa0 T.+1) (omega0 T.+1) (hF T.+1) (hC T.+1) (hO T.+1) (hE T.+1)
  q0 growT (lexx _) cone.
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
