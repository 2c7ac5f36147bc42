(* T7 (a), the majorant.  In the recursion dc' = F dc + C dh, dh' = O dh + E dc' let

     |F x| <= phi |x|,  |C x| <= kappa |x|,  |O x| <= omega |x|,  |E x| <= eta |x|      at every step.

   (|dh_T|, |dc_T|) is majorised by the T-th power of M+ = [omega + eta kappa, eta phi; kappa, phi], that is, by the
   same recursion on numbers.  If M+ (p, q) <= lambda (p, q), then from |dh| <= c p, |dc| <= c q on

     |dh_T| <= lambda^T c p    and    |dc_T| <= lambda^T c q. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
From VG.abstract Require Import Seminorm Lstm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Majorant.
Variables (R : realDomainType) (H V : zmodType) (Nh : seminorm R H) (Nc : seminorm R V).
Variables (F : nat -> V -> V) (C : nat -> H -> V) (O : nat -> H -> H) (E : nat -> V -> H).
Variables phi kappa omega eta : R.
Hypotheses (phi0 : 0 <= phi) (kappa0 : 0 <= kappa) (omega0 : 0 <= omega) (eta0 : 0 <= eta).
Hypotheses (hF : forall s, bounded Nc Nc (F s) phi) (hC : forall s, bounded Nh Nc (C s) kappa).
Hypotheses (hO : forall s, bounded Nh Nh (O s) omega) (hE : forall s, bounded Nc Nh (E s) eta).
Local Notation dh := (dh F C O E).
Local Notation dc := (dc F C O E).

(* the recursion of the bounds: M+^T (p, q) *)
Let scale (a : R) (_ : nat) x := a * x.
Let ph := Lstm.dh (scale phi) (scale kappa) (scale omega) (scale eta).
Let pc := Lstm.dc (scale phi) (scale kappa) (scale omega) (scale eta).

Theorem T7_majorant w v p q T : Nh w <= p -> Nc v <= q -> Nh (dh w v T) <= ph p q T /\ Nc (dc w v T) <= pc p q T.
Proof.
move=> wp vq; elim: T => [//|T [IHh IHc]].
have c : Nc (dc w v T.+1) <= pc p q T.+1.
  rewrite /pc !dcS; apply: le_trans (normD _ _ _) (ler_add (le_trans (hF _ _) _) (le_trans (hC _ _) _)).
  - by rewrite ler_wpmul2l.
  - by rewrite ler_wpmul2l.
split=> //; rewrite /ph !dhS; apply: le_trans (normD _ _ _) (ler_add (le_trans (hO _ _) _) (le_trans (hE _ _) _)).
- by rewrite ler_wpmul2l.
- by rewrite ler_wpmul2l.
Qed.

(* M+ (p, q) <= lambda (p, q) *)
Variables p q lambda : R.
Hypothesis lambda0 : 0 <= lambda.
Hypothesis row_c : phi * q + kappa * p <= lambda * q.
Hypothesis row_h : omega * p + eta * (phi * q + kappa * p) <= lambda * p.

Theorem T7_vanishing w v c T : 0 <= c -> Nh w <= c * p -> Nc v <= c * q ->
  Nh (dh w v T) <= lambda ^+ T * (c * p) /\ Nc (dc w v T) <= lambda ^+ T * (c * q).
Proof.
move=> c0 wp vq.
suff [h' c'] : ph (c * p) (c * q) T <= lambda ^+ T * (c * p) /\ pc (c * p) (c * q) T <= lambda ^+ T * (c * q).
  by have [h c1] := T7_majorant T wp vq; split; [apply: le_trans h h'|apply: le_trans c1 c'].
elim: T => [|T [IHh IHc]]; first by rewrite !mul1r.
have k0 : 0 <= lambda ^+ T * c by rewrite mulr_ge0 ?exprn_ge0.
have scaled a x : a * (lambda ^+ T * (c * x)) = lambda ^+ T * c * (a * x) 
    by rewrite mulrCA -mulrA; congr (_ * _); rewrite mulrCA.
have c' : pc (c * p) (c * q) T.+1 <= lambda ^+ T * c * (phi * q + kappa * p).
  by rewrite /pc dcS mulrDr -!scaled ler_add // ler_wpmul2l.
have next x : lambda ^+ T.+1 * (c * x) = lambda ^+ T * c * (lambda * x) by rewrite exprS -mulrA scaled.
split; last by rewrite next; apply: le_trans c' _; rewrite ler_wpmul2l.
rewrite next; apply: le_trans (_ : lambda ^+ T * c * (omega * p + eta * (phi * q + kappa * p)) <= _); last first.
  by rewrite ler_wpmul2l.
by rewrite /ph dhS mulrDr -scaled ler_add // ?ler_wpmul2l // mulrCA ler_wpmul2l.
Qed.
End Majorant.
