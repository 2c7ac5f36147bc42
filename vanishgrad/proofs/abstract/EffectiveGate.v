(* T5 (b''), the effective forget gate (exact).  Split the state into v (slow units) and w (the rest), so that one step
   is v' = A v + B w, w' = C v + D w.  Put Q_0 = 0, M_s = A_s + B_s Q_{s-1} and Q_s = (C_s + D_s Q_{s-1}) M_s^-1.  While
   every M_s is invertible, the perturbation (v, 0) becomes (M_T ... M_1 v, Q_T M_T ... M_1 v): with a single slow unit,
   M_s is one number and acts as a forget gate with all detours included. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From VG.abstract Require Import Chain.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section EffectiveGate.
Variables (R : comUnitRingType) (m n : nat).
Variables (A : nat -> 'M[R]_m) (B : nat -> 'M[R]_(m, n)) (C : nat -> 'M[R]_(n, m)) (D : nat -> 'M[R]_n).
Let J s := block_mx (A s) (B s) (C s) (D s).

Fixpoint response s : 'M[R]_(n, m) :=
  if s is r.+1 then (C s + D s *m response r) *m invmx (A s + B s *m response r) else 0.
Definition effective_gate s := A s + B s *m response s.-1.

Theorem T5_effective_gate T (v : 'cV_m) : (forall s, (0 < s <= T)%N -> effective_gate s \in unitmx) ->
  chain J T 0 *m col_mx v 0 = col_mx (chain effective_gate T 0 *m v) (response T *m (chain effective_gate T 0 *m v)).
Proof.
elim: T => [|T IH] units; first by rewrite !mul1mx mul0mx.
have unitT : effective_gate T.+1 \in unitmx by apply: units; rewrite leqnn.
rewrite chainS // -mulmxA IH => [|s /andP[s0 sT]]; last by apply: units; rewrite s0 ltnW.
rewrite mul_block_col chainS // -!mulmxA; set x := _ *m v.
rewrite -[LHS]/(col_mx _ _) !(mulmxA (B _)) !(mulmxA (D _)) -!mulmxDl; congr col_mx.
by rewrite /= !mulmxA -/(effective_gate T.+1) (mulmxKV unitT).
Qed.
End EffectiveGate.
