(* The weighted max-norm of vectors and its operator norm.

   For weights x > 0:  |v|_x = max_i |v i| / x i,  and  |A|_x = max_i (sum_j |A i j| x j) / x i  is
   the operator norm that it induces.  Additions and comparisons only: no square root, no singular
   value. *)
From Coq Require Import Reals Lra Lia.
From VG.real Require Import Sums.
Local Open Scope R_scope.

Fixpoint norm (n : nat) (x v : vec) : R :=
  match n with O => 0 | S m => Rmax (norm m x v) (Rabs (v m) / x m) end.

Definition opnorm n x (A : mat) : R := norm n x (fun i => sumR n (fun j => Rabs (A i j) * x j)).

(* The plain max-norm has all weights 1. *)
Definition ones : vec := fun _ => 1.

Lemma ones_pos i : 0 < ones i.
Proof. unfold ones; lra. Qed.

Section MaxNorm.
Context {x : vec}.
Hypothesis x_pos : forall i, 0 < x i.
Implicit Types (n : nat) (u v : vec) (A : mat).

Lemma norm_ge0 n v : 0 <= norm n x v.
Proof. induction n as [|n IH]; simpl; [lra|eapply Rle_trans; [apply IH|apply Rmax_l]]. Qed.

Lemma opnorm_ge0 n A : 0 <= opnorm n x A.
Proof. apply norm_ge0. Qed.

Lemma le_norm n v i : (i < n)%nat -> Rabs (v i) <= norm n x v * x i.
Proof.
pose proof (x_pos i) as xi; intros hi; apply (Rmult_le_reg_r (/ x i));
  [now apply Rinv_0_lt_compat|rewrite Rmult_assoc, Rinv_r, Rmult_1_r by lra].
induction n as [|n IH]; simpl; [lia|].
destruct (Nat.eq_dec i n) as [->|ne]; [apply Rmax_r|].
eapply Rle_trans; [apply IH; lia|apply Rmax_l].
Qed.

Lemma norm_le n v c : 0 <= c -> (forall i, (i < n)%nat -> Rabs (v i) <= c * x i) -> norm n x v <= c.
Proof.
intros c0; induction n as [|n IH]; intros h; simpl; [easy|].
apply Rmax_lub; [apply IH; intros; apply h; lia|].
apply (Rmult_le_reg_r (x n)); [apply x_pos|].
unfold Rdiv; rewrite Rmult_assoc, Rinv_l, Rmult_1_r; [apply h; lia|].
pose proof (x_pos n); lra.
Qed.

(* A vector with coordinates has one at which the norm is reached. *)
Lemma norm_reached n v : (0 < n)%nat -> exists i, (i < n)%nat /\ Rabs (v i) = norm n x v * x i.
Proof.
induction n as [|n IH]; intros hm; [lia|]; simpl.
pose proof (x_pos n) as xm.
assert (last : Rabs (v n) = Rabs (v n) / x n * x n) by (field; lra).
assert (last0 : 0 <= Rabs (v n) / x n).
{ apply Rmult_le_pos; [apply Rabs_pos|left; now apply Rinv_0_lt_compat]. }
destruct (Rle_dec (norm n x v) (Rabs (v n) / x n)) as [h|h].
- exists n; rewrite Rmax_right by easy; split; [lia|easy].
- rewrite Rmax_left by lra; destruct n as [|n]; [simpl in h; lra|].
  destruct IH as (i & hi & e); [lia|]; exists i; split; [lia|easy].
Qed.

(* A coordinate far from 0 bounds the norm from below. *)
Lemma norm_ge n v c i : (i < n)%nat -> c * x i <= Rabs (v i) -> c <= norm n x v.
Proof.
intros hi h; apply (Rmult_le_reg_r (x i)); [apply x_pos|].
now eapply Rle_trans; [apply h|apply le_norm].
Qed.

Lemma norm_ext n u v : (forall i, (i < n)%nat -> u i = v i) -> norm n x u = norm n x v.
Proof.
intros h; apply Rle_antisym; apply norm_le; try apply norm_ge0; intros i hi.
- rewrite h by easy; now apply le_norm.
- rewrite <- h by easy; now apply le_norm.
Qed.

Lemma norm_zero n : norm n x (fun _ => 0) = 0.
Proof.
apply Rle_antisym; [apply norm_le; [lra|]|apply norm_ge0].
intros i _; rewrite Rabs_R0; lra.
Qed.

Lemma norm_add n u v : norm n x (fun i => u i + v i) <= norm n x u + norm n x v.
Proof.
apply norm_le; [apply Rplus_le_le_0_compat; apply norm_ge0|]; intros i hi.
rewrite Rmult_plus_distr_r; eapply Rle_trans; [apply Rabs_triang|].
now apply Rplus_le_compat; apply le_norm.
Qed.

(* diag a v, for a diagonal bounded by c *)
Lemma norm_diag n (a : vec) v c : 0 <= c -> (forall i, (i < n)%nat -> Rabs (a i) <= c) ->
  norm n x (fun i => a i * v i) <= c * norm n x v.
Proof.
intros c0 h; apply norm_le; [apply Rmult_le_pos; [easy|apply norm_ge0]|]; intros i hi.
rewrite Rabs_mult, Rmult_assoc.
apply Rmult_le_compat; try apply Rabs_pos; [now apply h|now apply le_norm].
Qed.

(* ... and bounded away from 0 by c *)
Lemma norm_diag_ge n (a : vec) v c : (forall i, (i < n)%nat -> c <= Rabs (a i)) -> 0 <= c ->
  c * norm n x v <= norm n x (fun i => a i * v i).
Proof.
intros h c0; destruct (Nat.eq_dec n 0) as [->|n0]; [simpl; lra|].
destruct (norm_reached n v) as (i & hi & e); [lia|].
apply norm_ge with i; [easy|].
rewrite Rabs_mult, Rmult_assoc, <- e.
now apply Rmult_le_compat_r; [apply Rabs_pos|apply h].
Qed.

Lemma norm_scal n a v : 0 <= a -> norm n x (fun i => a * v i) = a * norm n x v.
Proof.
intros a0; apply Rle_antisym.
- apply (norm_diag n (fun _ => a)); [easy|]; intros; rewrite Rabs_pos_eq; lra.
- apply (norm_diag_ge n (fun _ => a)); [|easy]; intros; rewrite Rabs_pos_eq; lra.
Qed.

Lemma norm_opp n v : norm n x (fun i => - v i) = norm n x v.
Proof.
apply Rle_antisym; apply norm_le; try apply norm_ge0; intros i hi.
- rewrite Rabs_Ropp; now apply le_norm.
- rewrite <- Rabs_Ropp; now apply (le_norm n (fun i => - v i)).
Qed.

(* |u| - |v| <= |u + v| *)
Lemma norm_add_ge n u v : norm n x u - norm n x v <= norm n x (fun i => u i + v i).
Proof.
pose proof (norm_add n (fun i => u i + v i) (fun i => - v i)) as h; rewrite norm_opp in h.
rewrite (norm_ext n (fun i => u i + v i + - v i) u) in h by (intros; ring); lra.
Qed.

Lemma norm_mulmx n A v : norm n x (mulmx n A v) <= opnorm n x A * norm n x v.
Proof.
apply norm_le; [apply Rmult_le_pos; apply norm_ge0|]; intros i hi.
eapply Rle_trans; [apply (mulmx_le n A v (fun j => norm n x v * x j)); intros; now apply le_norm|].
rewrite (sumR_ext n _ (fun j => norm n x v * (Rabs (A i j) * x j))) by (intros; ring).
rewrite <- sumR_scal, (Rmult_comm (opnorm n x A)), Rmult_assoc.
apply Rmult_le_compat_l; [apply norm_ge0|].
eapply Rle_trans; [apply Rle_abs|].
now apply (le_norm n (fun i => sumR n (fun j => Rabs (A i j) * x j))).
Qed.

(* diag a A v: the shape of every term of a gate's Jacobian *)
Lemma norm_gate n (a : vec) A v c : 0 <= c -> (forall i, (i < n)%nat -> Rabs (a i) <= c) ->
  norm n x (fun i => a i * mulmx n A v i) <= c * opnorm n x A * norm n x v.
Proof.
intros c0 h; eapply Rle_trans; [now apply norm_diag with (c := c)|].
rewrite Rmult_assoc; apply Rmult_le_compat_l; [easy|apply norm_mulmx].
Qed.

(* the certificate of T1 (ii): |A| x <= r x *)
Lemma opnorm_le n A r : 0 <= r ->
  (forall i, (i < n)%nat -> sumR n (fun j => Rabs (A i j) * x j) <= r * x i) -> opnorm n x A <= r.
Proof.
intros r0 h; apply norm_le; [easy|]; intros i hi; rewrite Rabs_pos_eq; [now apply h|].
apply sumR_ge0; intros; apply Rmult_le_pos; [apply Rabs_pos|left; apply x_pos].
Qed.
End MaxNorm.
