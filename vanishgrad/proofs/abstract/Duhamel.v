(* T4, Duhamel's formula (exact): in the recursion dc' = F dc + C dh, dh' = O dh + E dc'

     dc_T = F_{T:0} dc_0 + sum over s < T of F_{T:s+1} C_{s+1} dh_s,
     dh_T = O_{T:0} dh_0 + sum over r < T of O_{T:r+1} E_{r+1} dc_{r+1}.

   The first term is the conveyor; every other one is a detour through h.  Over any ring, with h and c of any size. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Chain Lstm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* x_{s+1} = A_{s+1} x_s + b_{s+1} *)
Lemma variation_of_constants (R : ringType) n m (A : nat -> 'M[R]_n) (x b : nat -> 'M[R]_(n, m)) :
  (forall s, x s.+1 = A s.+1 *m x s + b s.+1) ->
  forall T, x T = chain A T 0 *m x 0%N + \sum_(s < T) chain A T s.+1 *m b s.+1.
Proof.
move=> step; elim=> [|T IH]; first by rewrite big_ord0 addr0 mul1mx.
rewrite step {}IH chainS // mulmxDr mulmxA mulmx_sumr -addrA big_ord_recr /= ltnn mul1mx; congr (_ + (_ + _)).
by apply: eq_bigr => s _; rewrite mulmxA ltn_ord.
Qed.

Section Duhamel.
Variables (R : ringType) (m n p : nat).
Variables (F : nat -> 'M[R]_n) (C : nat -> 'M[R]_(n, m)) (O : nat -> 'M[R]_m) (E : nat -> 'M[R]_(m, n)).
Variables (w : 'M[R]_(m, p)) (v : 'M[R]_(n, p)).

Let Dh := lstm_dh F C O E w v.
Let Dc := lstm_dc F C O E w v.

Theorem T4_duhamel T : Dc T = chain F T 0 *m v + \sum_(s < T) chain F T s.+1 *m C s.+1 *m Dh s.
Proof.
rewrite (@variation_of_constants _ _ _ F Dc (fun s => C s *m Dh s.-1)) => [|s]; last exact: lstm_dcS.
by congr (_ + _); apply: eq_bigr => s _; rewrite mulmxA.
Qed.

Theorem T4_duhamel_h T : Dh T = chain O T 0 *m w + \sum_(r < T) chain O T r.+1 *m E r.+1 *m Dc r.+1.
Proof.
rewrite (@variation_of_constants _ _ _ O Dh (fun s => E s *m Dc s)) => [|s]; last exact: lstm_dhS.
by congr (_ + _); apply: eq_bigr => r _; rewrite mulmxA.
Qed.
End Duhamel.
