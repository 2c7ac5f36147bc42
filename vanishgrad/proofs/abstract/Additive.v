(* T5 (c), an LSTM that does not forget, in its simplest form.  In the recursion dc' = F dc + C dh, dh' = O dh + E dc'
   let

     phi |x| <= |F x| <= |x|,  |C x| <= kappa |x|,  |O x| <= omega |x|,  |E x| <= eta |x|,  omega < 1

   at every step, and theta = kappa eta / (1 - omega).  All detours together add at most (1 + theta)^T - 1 to the
   conveyor in T + 1 steps (the first step has none), so that from (0, v)

     |dc_{T+1}| >= (phi^(T+1) - ((1 + theta)^T - 1)) |v|.

   With phi = 1 - epsilon this is at least 1 - epsilon (T + 1) - ((1 + theta)^T - 1); and if epsilon and theta are both
   at most 1 / (4 (T + 1)), at least 5/12 for every T (0.4659 with the exponential function, in real/). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
From VG.abstract Require Import Identities Powers Seminorm Lstm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Additive.
Variables (R : realFieldType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V).
Variables (F : nat -> {additive V -> V}) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H).
Variables phi kappa omega eta : R.
Hypotheses (phi0 : 0 <= phi) (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta) (omega1 : omega < 1).
Hypotheses (hF : forall s, expands Nc Nc (F s) phi) (hF1 : forall s x, Nc (F s x) <= Nc x).
Hypotheses (hC : forall s, bounded Nh Nc (C s) kappa) (hO : forall s, bounded Nh Nh (O s) omega).
Hypothesis hE : forall s, bounded Nc Nh (E s) eta.
Local Notation dh := (dh (fun s => F s) C O E 0).
Local Notation dc := (dc (fun s => F s) C O E 0).
Local Notation theta := (kappa * eta / (1 - omega)).

(* F_T ... F_1 v *)
Fixpoint conveyor v T : V := if T is s.+1 then F T (conveyor v s) else v.

Lemma conveyor_ge v T : phi ^+ T * Nc v <= Nc (conveyor v T).
Proof.
elim: T => [|T IH]; first by rewrite mul1r.
by rewrite exprS -mulrA; apply: le_trans (hF _ _); rewrite ler_wpmul2l.
Qed.

Lemma conveyor_le v T : Nc (conveyor v T) <= Nc v.
Proof. by elim: T => //= T IH; apply: le_trans (hF1 _ _) IH. Qed.

Let gap0 : 0 < 1 - omega. Proof. by rewrite subr_gt0. Qed.
Let theta0 : 0 <= theta. Proof. by rewrite divr_ge0 ?mulr_ge0 // ltW. Qed.
Let ratio0 : 0 <= eta / (1 - omega). Proof. by rewrite divr_ge0 // ltW. Qed.

Let omega_ratio : omega * (eta / (1 - omega)) + eta = eta / (1 - omega).
Proof. by rewrite -[X in _ + X](divfK (lt0r_neq0 gap0)) [omega * _]mulrC -mulrDr [omega + _]addrC subrK mulr1. Qed.

(* a bounds c, b bounds h relative to the start; both in units of |v| *)
Let detour_step v s a b : 0 <= b -> b <= a + theta * b ->
  Nc (dc v s - conveyor v s) <= (a - 1) * Nc v -> Nh (dh v s) <= eta / (1 - omega) * b * Nc v ->
  Nc (dc v s.+1 - conveyor v s.+1) <= (a + theta * b - 1) * Nc v /\
  Nh (dh v s.+1) <= eta / (1 - omega) * (a + theta * b) * Nc v.
Proof.
move=> b0; set a' := a + _ => ba' cs hs.
have c' : Nc (dc v s.+1 - conveyor v s.+1) <= (a' - 1) * Nc v.
  rewrite dcS addrAC -raddfB; apply: le_trans (normD _ _ _) _.
  apply: le_trans (ler_add (le_trans (hF1 _ _) cs) (le_trans (hC _ _) (ler_wpmul2l kappa0 hs))) _.
  by rewrite !mulrA -mulrDl /a' addrAC.
split=> //; rewrite dhS; apply: le_trans (normD _ _ _) _.
have total : Nc (dc v s.+1) <= a' * Nc v.
  rewrite -[dc _ _](subrK (conveyor v s.+1)); apply: le_trans (normD _ _ _) _.
  by apply: le_trans (ler_add c' (conveyor_le _ _)) _; rewrite mulrBl mul1r subrK.
apply: le_trans (ler_add (le_trans (hO _ _) (ler_wpmul2l omega0 hs)) (le_trans (hE _ _) (ler_wpmul2l eta0 total))) _.
rewrite !mulrA -mulrDl ler_wpmul2r ?norm_ge0 // -[X in _ <= X * _]omega_ratio mulrDl ler_add2r.
by rewrite [omega * (_ / _)]mulrA ler_wpmul2l // -mulrA mulr_ge0.
Qed.

Lemma detours v T :
  Nc (dc v T.+1 - conveyor v T.+1) <= ((1 + theta) ^+ T - 1) * Nc v /\
  Nh (dh v T.+1) <= eta / (1 - omega) * (1 + theta) ^+ T * Nc v.
Proof.
elim: T => [|T [cT hT]].
  have [||||] := @detour_step v 0 1 0; rewrite ?mulr0 ?addr0 ?ler01 ?mul0r //.
    by rewrite !subrr norm0 mul0r.
  by rewrite [Nh _]norm0.
have a0 : 0 <= (1 + theta) ^+ T by rewrite exprn_ge0 ?addr_ge0 ?ler01.
have -> : (1 + theta) ^+ T.+1 = (1 + theta) ^+ T + theta * (1 + theta) ^+ T by rewrite exprS mulrDl mul1r.
apply: detour_step cT hT => //.
by rewrite ler_addl mulr_ge0.
Qed.

Theorem T5_additive v T : (phi ^+ T.+1 - ((1 + theta) ^+ T - 1)) * Nc v <= Nc (dc v T.+1).
Proof.
have [c _] := detours v T; rewrite mulrBl; apply: le_trans (ler_sub (conveyor_ge v T.+1) c) _.
by rewrite ler_subl_addr -{1}(subrK (dc v T.+1) (conveyor v T.+1)) addrC -[X in _ <= _ + X](normN Nc) opprB normD.
Qed.

Corollary T5_additive_bernoulli epsilon v T : epsilon <= 1 -> phi = 1 - epsilon ->
  (1 - epsilon *+ T.+1 - ((1 + theta) ^+ T - 1)) * Nc v <= Nc (dc v T.+1).
Proof.
move=> e1 phiE; apply: le_trans (T5_additive v T); rewrite ler_wpmul2r ?norm_ge0 // phiE.
by rewrite ler_sub // L0_bernoulli_sub.
Qed.
End Additive.

(* 3/4 - (4/3 - 1) = 5/12, as (1 - x)^T >= 3/4 and (1 + x)^T (1 - x)^T <= 1 for x <= 1 / (4 T) *)
Section Floor.
Variable R : realFieldType.
Add Field R_field : (field_of [fieldType of R]).
Ltac identity := decide_in [fieldType of R].

Theorem T5_floor (epsilon theta : R) T : 0 <= epsilon -> 0 <= theta ->
  epsilon *+ (4 * T.+1) <= 1 -> theta *+ (4 * T.+1) <= 1 ->
  5%:R / 12%:R <= (1 - epsilon) ^+ T.+1 - ((1 + theta) ^+ T - 1).
Proof.
move=> e0 t0 he ht.
have small (x : R) : 0 <= x -> x *+ (4 * T.+1) <= 1 -> x <= 1.
  by move=> x0; apply: le_trans; rewrite -{1}[x]mulr1n ler_wpmuln2l.
have low (x : R) : 0 <= x -> x *+ (4 * T.+1) <= 1 -> 3%:R / 4%:R <= (1 - x) ^+ T.+1.
  move=> x0 hx; apply: le_trans (L0_bernoulli_sub _ (small x x0 hx)).
  rewrite ler_subr_addr -ler_subr_addl.
  have -> : 1 - 3%:R / 4%:R = 4%:R^-1 :> R.
    apply: (mulIf (_ : 4%:R != 0)); rewrite ?pnatr_eq0 // mulrBl mul1r divfK ?pnatr_eq0 //.
    by rewrite mulVf ?pnatr_eq0 // -natrB.
  by rewrite -[_^-1]mul1r ler_pdivl_mulr ?ltr0n // mulr_natr -mulrnA mulnC.
have pos : 0 < (1 - theta) ^+ T.+1 by apply: lt_le_trans (low _ t0 ht); rewrite divr_gt0 ?ltr0n.
have high : (1 + theta) ^+ T <= 4%:R / 3%:R.
  apply: le_trans (_ : (1 + theta) ^+ T.+1 <= _); first by rewrite ler_weexpn2l // ler_addl.
  rewrite -[_ / _]invf_div; apply: le_trans (_ : ((1 - theta) ^+ T.+1)^-1 <= _); last first.
    by rewrite lef_pinv ?posrE ?low // divr_gt0 ?ltr0n.
  rewrite -[X in _ <= X]mul1r ler_pdivl_mulr // -exprMn [(1 + _) * _]mulrC -subr_sqr expr1n.
  apply: exprn_ile1; last by rewrite ler_subl_addr ler_addl sqr_ge0.
  by rewrite subr_ge0; apply: exprn_ile1 => //; apply: small.
have -> : 5%:R / 12%:R = 3%:R / 4%:R - (4%:R / 3%:R - 1) :> R.
  have fraction (u w : R) : u != 0 -> w != 0 -> u / w - (w / u - 1) = (u * u + u * w - w * w) / (u * w).
    by move=> /eqP u0 /eqP w0; identity.
  by rewrite fraction ?pnatr_eq0 // -!natrM -natrD -natrB.
by rewrite ler_sub ?low // ler_sub.
Qed.
End Floor.
