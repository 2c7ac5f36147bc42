(* T6, a GRU whose update gate is shut keeps its gradient.  With h_t = z h_{t-1} + (1 - z) n,

     J_t = diag z + diag ((h_{t-1} - n) z (1 - z)) U_z + diag ((1 - z) (1 - n^2)) K_t,

   where K_t is, with the reset gate after or before the matrix product,

     after:  diag r U_n + diag (a r (1 - r)) U_r,  a = U_n h + b,      before:  U_n (diag r + diag (h r (1 - r)) U_r).

   If 1 - z <= epsilon and |h|, |n| <= 1 then |J_t x - x| <= epsilon (1 + 2 |U_z| + |K_t|) |x|, and if |J_t x - x| <= e |x| with
   e <= 1 for all t, then (1 - e)^(t-k) |x| <= |J_{t:k} x| <= (1 + e)^(t-k) |x|.  Over a horizon T >= 2 with e <= 1 / T that is
   between 1/4 and 4.  The same bound holds for the Jacobian of any residual network, x + A_l(x) with |A_l| <= e. *)
From mathcomp Require Import all_ssreflect all_algebra.
From VG.abstract Require Import Powers Seminorm Norms Chain.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section NearIdentity.
Variables (R : realFieldType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]) (J : nat -> 'M[R]_n) (e : R).
Hypotheses (e0 : 0 <= e) (near : forall s x, N (J s *m x - x) <= e * N x).

Theorem T6_upper t k x : N (chain J t k *m x) <= (1 + e) ^+ (t - k) * N x.
Proof.
apply: L0_upper_rate => [|s y]; first by rewrite addr_ge0 ?ler01.
rewrite -[J s *m y](subrK y) mulrDl mul1r addrC; apply: le_trans (normD _ _ _) _.
by rewrite ler_add2l near.
Qed.

Theorem T6_lower t k x : e <= 1 -> (1 - e) ^+ (t - k) * N x <= N (chain J t k *m x).
Proof.
move=> e1; apply: L0_lower_rate => [|s y]; first by rewrite subr_ge0.
rewrite mulrBl mul1r -[J s *m y](subrK y) addrC; apply: le_trans (norm_sub _ _ _).
by rewrite ler_sub // near.
Qed.

Theorem T6_horizon T x : (1 < T)%N -> e *+ T <= 1 ->
  4%:R^-1 * N x <= N (chain J T 0 *m x) /\ N (chain J T 0 *m x) <= 4%:R * N x.
Proof.
Abort.
End NearIdentity.

Section Cell.
Variables (R : realFieldType) (n : nat) (N : seminorm R [zmodType of 'cV[R]_n]).
Hypothesis N_absolute : absolute N.
Implicit Types (z h nn r a : 'rV[R]_n) (U K : 'M[R]_n).

Definition gru_jacobian z h c Uz K : 'M[R]_n :=
  diag_mx z + diag_mx (\row_j ((h 0 j - c 0 j) * (z 0 j * (1 - z 0 j)))) *m Uz +
  diag_mx (\row_j ((1 - z 0 j) * (1 - c 0 j ^+ 2))) *m K.

Theorem T6_gate_closure z h c Uz K epsilon u kbar :
  (forall j, 0 <= z 0 j <= 1) -> (forall j, 1 - z 0 j <= epsilon) ->
  (forall j, `|h 0 j| <= 1) -> (forall j, `|c 0 j| <= 1) ->
  bounded N N (mulmx Uz) u -> bounded N N (mulmx K) kbar ->
  forall x, N (gru_jacobian z h c Uz K *m x - x) <= epsilon * (1 + 2%:R * u + kbar) * N x.
Proof.
XX
Qed.

(* r (1 - r) <= 1/4 *)
Let quarter r j : 0 <= r 0 j <= 1 -> `|r 0 j * (1 - r 0 j)| <= 4%:R^-1.
XX

Theorem T6_reset_after r a Un Ur u_n u_r abar : 0 <= abar ->
  (forall j, 0 <= r 0 j <= 1) -> (forall j, `|a 0 j| <= abar) ->
  bounded N N (mulmx Un) u_n -> bounded N N (mulmx Ur) u_r ->
  bounded N N (mulmx (diag_mx r *m Un + diag_mx (\row_j (a 0 j * (r 0 j * (1 - r 0 j)))) *m Ur))
    (u_n + abar / 4%:R * u_r).
XX
End Cell.
