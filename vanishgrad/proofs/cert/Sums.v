(** Finite sums of reals, and the Euclidean norm of the first n entries of a vector.

    A vector is a function [nat -> R] of which the first n entries count; so a matrix is one of two
    indices, and no library of matrices is needed. *)
From Coq Require Import Reals Lra Lia.
Local Open Scope R_scope.

Fixpoint sumR (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S m => sumR m f + f m end.

Lemma sumR_ext n f g : (forall j, (j < n)%nat -> f j = g j) -> sumR n f = sumR n g.
Proof.
induction n as [|n IH]; intros h; simpl; [easy|].
rewrite h by lia. rewrite IH; [easy|]. intros; apply h; lia.
Qed.

Lemma sumR_le n f g : (forall j, (j < n)%nat -> f j <= g j) -> sumR n f <= sumR n g.
Proof.
induction n as [|n IH]; intros h; simpl; [lra|].
apply Rplus_le_compat; [apply IH; intros; apply h; lia|apply h; lia].
Qed.

Lemma sumR_first n f : sumR (S n) f = f O + sumR n (fun i => f (S i)).
Proof.
induction n as [|n IH]; [simpl; ring|].
change (sumR (S n) f + f (S n) = f O + sumR (S n) (fun i => f (S i))).
rewrite IH; simpl; ring.
Qed.

Lemma sumR_plus n f g : sumR n (fun i => f i + g i) = sumR n f + sumR n g.
Proof. induction n as [|n IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma sumR_scal n c f : sumR n (fun j => c * f j) = c * sumR n f.
Proof. induction n as [|n IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma sumR_const n c : sumR n (fun _ => c) = INR n * c.
Proof. induction n as [|n IH]; [simpl; ring|]. rewrite S_INR; simpl; rewrite IH; ring. Qed.

Lemma sumR_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sumR n f.
Proof.
intros h. replace 0 with (sumR n (fun _ => 0)) by (rewrite sumR_const; ring). now apply sumR_le.
Qed.

Lemma sumR_abs n f : Rabs (sumR n f) <= sumR n (fun j => Rabs (f j)).
Proof.
induction n as [|n IH]; simpl; [rewrite Rabs_R0; lra|].
eapply Rle_trans; [apply Rabs_triang|lra].
Qed.

Lemma sumR_mono n m f : (n <= m)%nat -> (forall i, 0 <= f i) -> sumR n f <= sumR m f.
Proof. intros h hf; induction h as [|m h IH]; simpl; [lra|specialize (hf m); lra]. Qed.

(** |sum a_j v_j| <= sum |a_j| w_j for |v_j| <= w_j. *)
Lemma sumR_weighted n a v w : (forall j, (j < n)%nat -> Rabs (v j) <= w j) ->
  Rabs (sumR n (fun j => a j * v j)) <= sumR n (fun j => Rabs (a j) * w j).
Proof.
intros h. eapply Rle_trans; [apply sumR_abs|].
apply sumR_le; intros j hj. rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|auto].
Qed.

Lemma Rabs_def2_le a b : Rabs a <= b -> - b <= a <= b.
Proof. unfold Rabs; destruct (Rcase_abs a); lra. Qed.

Lemma sum_derive (f : R -> nat -> R) df e a m :
  (forall j, (j < m)%nat -> derivable_pt_lim (fun y => f y j) e (df j)) ->
  derivable_pt_lim (fun y => sumR m (fun j => a j * f y j)) e (sumR m (fun j => a j * df j)).
Proof.
induction m as [|m IH]; intros h; simpl; [apply (derivable_pt_lim_const 0)|].
apply (derivable_pt_lim_plus (fun y => sumR m (fun j => a j * f y j)) (fun y => a m * f y m)).
- apply IH; intros; apply h; lia.
- apply (derivable_pt_lim_scal (fun y => f y m)), h; lia.
Qed.

(** * The Euclidean norm *)

Definition square n (v : nat -> R) := sumR n (fun i => v i ^ 2).
Definition norm n v := sqrt (square n v).

Lemma square_nonneg n v : 0 <= square n v.
Proof. apply sumR_nonneg; intros; apply pow2_ge_0. Qed.

Lemma square_entry n v i : (i < n)%nat -> v i ^ 2 <= square n v.
Proof.
induction n as [|n IH]; intros h; [lia|]. change (square (S n) v) with (square n v + v n ^ 2).
pose proof (square_nonneg n v). destruct (Nat.eq_dec i n) as [->|ne]; [lra|].
pose proof (pow2_ge_0 (v n)). specialize (IH ltac:(lia)); lra.
Qed.

Lemma square_le n v c : (forall i, (i < n)%nat -> Rabs (v i) <= c) -> square n v <= INR n * c ^ 2.
Proof.
intros h. unfold square. rewrite <- sumR_const. apply sumR_le; intros i hi.
rewrite <- pow2_abs. pose proof (Rabs_pos (v i)). apply pow_incr; auto.
Qed.

Lemma sqrt_le_scaled a b c : 0 <= c -> 0 <= b -> a <= c ^ 2 * b -> sqrt a <= c * sqrt b.
Proof.
intros hc hb h. rewrite <- (sqrt_pow2 c hc) at 1. rewrite <- sqrt_mult by (try apply pow2_ge_0; easy).
now apply sqrt_le_1_alt.
Qed.
