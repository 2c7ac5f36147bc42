(* Two LSTMs of one unit, as recursions on numbers: dc' = f dc + k dh, dh' = o dh + e dc'.

   R26, an open forget gate is not enough.  With k = -1, o = 0 the partial derivative is dc_T / dc_0 = f (f - e)^(T-1),
   while the conveyor is f^T: detours through h cancel it, and all of it from the second step on if e = f. T7 (b), an
   LSTM can explode.  With f = 0, k = u, o = 0, e = 1 it is dh_T / dh_0 = u^T. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
From VG.abstract Require Import Lstm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section OneUnit.
Variable R : comRingType.
Implicit Types f k o e u : R.

Definition unit_dc f k o e : R -> R -> nat -> R :=
  dc (fun=> *%R f) (fun=> *%R k) (fun=> *%R o) (fun=> *%R e).
Definition unit_dh f k o e : R -> R -> nat -> R :=
  dh (fun=> *%R f) (fun=> *%R k) (fun=> *%R o) (fun=> *%R e).

Theorem R26_cancelled f e T : unit_dc f (-1) 0 e 0 1 T.+1 = f * (f - e) ^+ T.
Proof.
elim: T => [|T IH]; first by rewrite expr0 /unit_dc dcS [X in _ + X]mulr0 addr0.
have dhE : unit_dh f (-1) 0 e 0 1 T.+1 = e * unit_dc f (-1) 0 e 0 1 T.+1 by rewrite /unit_dh dhS mul0r add0r.
by rewrite /unit_dc dcS -/(unit_dc _ _ _ _ _ _ _) -/(unit_dh _ _ _ _ _ _ _) dhE IH mulN1r -mulrBl mulrCA -exprS.
Qed.

Corollary R26_nothing_left f T : unit_dc f (-1) 0 f 0 1 T.+2 = 0.
Proof. by rewrite R26_cancelled subrr exprS mul0r mulr0. Qed.

Theorem T7_explosion u T : unit_dh 0 u 0 1 1 0 T = u ^+ T.
Proof.
elim: T => [//|T IH]; rewrite /unit_dh dhS dcS mul0r !add0r mul1r mul0r add0r.
by rewrite -/(unit_dh _ _ _ _ _ _ _) IH -exprS.
Qed.
End OneUnit.
