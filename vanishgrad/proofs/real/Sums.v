(* Finite sums and curves of vectors.

   A vector is a function of its index, of which the first n values count; a matrix is a function of
   two indices.  "The curve c has the velocity v at e" says that every coordinate of c is
   differentiable at e, with derivative v i.  That is all the differential calculus of this library:
   no norm on matrices over R, no Fréchet derivative.  A Jacobian product J_T ... J_1 v appears as the
   velocity of the state at time T along a curve of initial states with velocity v. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
Local Open Scope R_scope.

Notation vec := (nat -> R).
Notation mat := (nat -> nat -> R).

(* f 0 + ... + f (n-1) *)
Fixpoint sumR (n : nat) (f : vec) : R :=
  match n with O => 0 | S m => sumR m f + f m end.

(* row i of A v *)
Definition mulmx n (A : mat) (v : vec) : vec := fun i => sumR n (fun j => A i j * v j).

Definition velocity (c : R -> vec) (e : R) (v : vec) :=
  forall i, is_derive (fun y => c y i) e (v i).

(* the zero vector, and the zero matrix *)
Definition still : vec := fun _ => 0.
Definition zero : mat := fun _ _ => 0.

Lemma sumR_ext n f g : (forall j, (j < n)%nat -> f j = g j) -> sumR n f = sumR n g.
Proof.
induction n as [|n IH]; intros h; simpl; [easy|].
rewrite h, IH; [easy| |lia]; intros; apply h; lia.
Qed.

Lemma sumR_le n f g : (forall j, (j < n)%nat -> f j <= g j) -> sumR n f <= sumR n g.
Proof.
induction n as [|n IH]; intros h; simpl; [lra|].
apply Rplus_le_compat; [apply IH; intros|]; apply h; lia.
Qed.

Lemma sumR_ge0 n f : (forall j, (j < n)%nat -> 0 <= f j) -> 0 <= sumR n f.
Proof.
induction n as [|n IH]; intros h; simpl; [lra|].
apply Rplus_le_le_0_compat; [apply IH; intros|]; apply h; lia.
Qed.

Lemma sumR_abs n f : Rabs (sumR n f) <= sumR n (fun j => Rabs (f j)).
Proof.
induction n as [|n IH]; simpl; [rewrite Rabs_R0; lra|].
eapply Rle_trans; [apply Rabs_triang|lra].
Qed.

Lemma sumR_scal n c f : c * sumR n f = sumR n (fun j => c * f j).
Proof. induction n as [|n IH]; simpl; [ring|rewrite <- IH; ring]. Qed.

Lemma sumR_add n f g : sumR n f + sumR n g = sumR n (fun j => f j + g j).
Proof. induction n as [|n IH]; simpl; [ring|rewrite <- IH; ring]. Qed.

Lemma sumR_one n f s : (s < n)%nat -> (forall j, (j < n)%nat -> j <> s -> f j = 0) -> sumR n f = f s.
Proof.
intros hs; induction n as [|n IH]; intros h; [lia|]; simpl.
destruct (Nat.eq_dec s n) as [->|ne].
- replace (sumR n f) with (sumR n (fun j => 0 * f j)); [rewrite <- sumR_scal; ring|].
  apply sumR_ext; intros j hj; rewrite (h j) by lia; ring.
- rewrite IH, (h n) by (lia || intros; apply h; lia); ring.
Qed.

Lemma sumR_const n a : sumR n (fun _ => a) = INR n * a.
Proof. induction n as [|n IH]; [simpl; ring|rewrite S_INR; simpl; rewrite IH; ring]. Qed.

(* A bound on the entries of v bounds A v. *)
Lemma mulmx_le n A v w i : (forall j, (j < n)%nat -> Rabs (v j) <= w j) ->
  Rabs (mulmx n A v i) <= sumR n (fun j => Rabs (A i j) * w j).
Proof.
intros h; eapply Rle_trans; [apply sumR_abs|].
apply sumR_le; intros j hj; rewrite Rabs_mult.
now apply Rmult_le_compat_l; [apply Rabs_pos|apply h].
Qed.

Lemma mulmx_zero n h j : mulmx n zero h j = 0.
Proof. unfold mulmx, zero; induction n as [|n IH]; simpl; [easy|rewrite IH; ring]. Qed.

(* The rules of differentiation, with derivatives written as in a textbook. *)
Lemma derive_const a e : is_derive (fun _ : R => a) e 0.
Proof. exact (is_derive_const (V:=R_NormedModule) a e). Qed.

Lemma derive_add (f g : R -> R) e a b : is_derive f e a -> is_derive g e b ->
  is_derive (fun y => f y + g y) e (a + b).
Proof. exact (is_derive_plus (V:=R_NormedModule) f g e a b). Qed.

Lemma derive_scal (f : R -> R) e a c : is_derive f e a -> is_derive (fun y => c * f y) e (c * a).
Proof. exact (is_derive_scal f e c a). Qed.

Lemma derive_mul (f g : R -> R) e a b : is_derive f e a -> is_derive g e b ->
  is_derive (fun y => f y * g y) e (a * g e + f e * b).
Proof. intros hf hg; apply (is_derive_mult f g e a b hf hg); intros; apply Rmult_comm. Qed.

Lemma derive_comp (phi f : R -> R) e p a : is_derive phi (f e) p -> is_derive f e a ->
  is_derive (fun y => phi (f y)) e (p * a).
Proof.
intros hp hf; rewrite Rmult_comm; exact (is_derive_comp phi f e p a hp hf).
Qed.

Lemma still_velocity (h : vec) e : velocity (fun _ => h) e still.
Proof. intros i; apply derive_const. Qed.

Lemma derive_sum n (f : nat -> R -> R) df e :
  (forall j, (j < n)%nat -> is_derive (f j) e (df j)) ->
  is_derive (fun y => sumR n (fun j => f j y)) e (sumR n df).
Proof.
induction n as [|n IH]; intros h; simpl; [apply derive_const|].
apply derive_add; [apply IH; intros|]; apply h; lia.
Qed.

(* Moving along a curve, A h + u moves with A dh. *)
Lemma derive_affine n A (h : R -> vec) dh e a i : velocity h e dh ->
  is_derive (fun y => mulmx n A (h y) i + a) e (mulmx n A dh i).
Proof.
intros hh; rewrite <- (Rplus_0_r (mulmx n A dh i)); apply derive_add; [|apply derive_const].
apply (derive_sum n (fun j y => A i j * h y j) (fun j => A i j * dh j)).
intros j _; apply derive_scal, hh.
Qed.
