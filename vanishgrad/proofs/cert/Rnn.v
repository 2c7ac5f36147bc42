(** The vanilla RNN h_t = phi(W h_(t-1) + u_t) over the reals: what its Jacobian products are, and two
    norms in which they shrink.

    u_t stands for W_hx x_t + b, any sequence at all. Instead of a Frechet derivative there is a curve of
    initial states, y |-> h(y), with the derivative v at y = e; the state T steps later has then the derivative
    [tangent k T (h e) v] = J_(k+T) ... J_(k+1) v there. With h(y) = h_k + y v that is the Jacobian product
    applied to v. *)
From Coq Require Import Reals Lra Lia.
From VG.cert Require Import Sums.
Local Open Scope R_scope.

Section Rnn.
Variables (n : nat) (W : nat -> nat -> R) (phi phi' : R -> R) (smooth : R -> Prop) (gamma : R).
Hypothesis phi_derive : forall a, smooth a -> derivable_pt_lim phi a (phi' a).
Hypothesis phi'_le : forall a, Rabs (phi' a) <= gamma.
Variable u : nat -> nat -> R.

Definition pre t (h : nat -> R) i := sumR n (fun j => W i j * h j) + u t i.

(** The state T steps after time k. *)
Fixpoint run k T (h : nat -> R) : nat -> R :=
  match T with O => h | S T' => fun i => phi (pre (k + S T') (run k T' h) i) end.

Fixpoint tangent k T (h v : nat -> R) : nat -> R :=
  match T with
  | O => v
  | S T' => fun i => phi' (pre (k + S T') (run k T' h) i) * sumR n (fun j => W i j * tangent k T' h v j)
  end.

(** No pre-activation on the way lies where phi has no derivative; nothing is asked of tanh, all of the ramp. *)
Definition smooth_run k T h := forall s i, (s < T)%nat -> (i < n)%nat -> smooth (pre (k + S s) (run k s h) i).

Theorem tangent_derive k T (h : R -> nat -> R) v e : smooth_run k T (h e) ->
  (forall i, (i < n)%nat -> derivable_pt_lim (fun y => h y i) e (v i)) ->
  forall i, (i < n)%nat -> derivable_pt_lim (fun y => run k T (h y) i) e (tangent k T (h e) v i).
Proof.
intros hs hv; induction T as [|T IH]; intros i hi; [exact (hv i hi)|].
apply (derivable_pt_lim_comp (fun y => pre (k + S T) (run k T (h y)) i) phi);
  [|apply phi_derive, hs; lia].
rewrite <- (Rplus_0_r (sumR n _)).
apply (derivable_pt_lim_plus (fun y => sumR n (fun j => W i j * run k T (h y) j)) (fct_cte (u (k + S T) i)));
  [|apply derivable_pt_lim_const].
apply sum_derive, IH. intros s j hs' hj; apply hs; lia.
Qed.

(** T1: |D W x|_2 <= mu |D x|_2 with D = diag(scale) shrinks the product by gamma mu at every step. *)
Theorem tangent_scaled_norm (scale : nat -> R) rho2 :
  (forall x, gamma ^ 2 * square n (fun i => scale i * sumR n (fun j => W i j * x j))
             <= rho2 * square n (fun j => scale j * x j)) -> 0 <= rho2 ->
  forall k T h v, square n (fun i => scale i * tangent k T h v i) <= rho2 ^ T * square n (fun i => scale i * v i).
Proof.
intros hW r0 k T h v; induction T as [|T IH]; simpl tangent; [simpl; lra|].
replace (rho2 ^ S T) with (rho2 * rho2 ^ T) by (simpl; ring). rewrite Rmult_assoc.
eapply Rle_trans; [|apply Rmult_le_compat_l; [exact r0|exact IH]].
eapply Rle_trans; [|apply hW]. unfold square. rewrite <- sumR_scal. apply sumR_le; intros i _.
set (a := phi' _); set (s := sumR n _).
assert (a ^ 2 <= gamma ^ 2).
{ rewrite <- (pow2_abs a). apply pow_incr; split; [apply Rabs_pos|apply phi'_le]. }
replace ((scale i * (a * s)) ^ 2) with (a ^ 2 * (scale i * s) ^ 2) by ring.
apply Rmult_le_compat_r; [apply pow2_ge_0|easy].
Qed.

(** T1 (ii): gamma |W| x <= rho x shrinks |v_i| <= K x_i to rho K x_i. *)
Theorem tangent_max_norm (x : nat -> R) rho :
  (forall i, (i < n)%nat -> gamma * sumR n (fun j => Rabs (W i j) * x j) <= rho * x i) ->
  forall k T h v K, 0 <= K -> (forall i, (i < n)%nat -> Rabs (tangent k T h v i) <= K * x i) ->
  forall i, (i < n)%nat -> Rabs (tangent k (S T) h v i) <= rho * K * x i.
Proof.
intros hW k T h v K K0 hv i hi; simpl tangent. rewrite Rabs_mult.
assert (g0 : 0 <= gamma) by (eapply Rle_trans; [apply (Rabs_pos (phi' 0))|apply phi'_le]).
apply Rle_trans with (gamma * sumR n (fun j => Rabs (W i j) * (K * x j))).
- apply Rmult_le_compat; try apply Rabs_pos; [apply phi'_le|]. now apply sumR_weighted.
- rewrite (sumR_ext n _ (fun j => K * (Rabs (W i j) * x j))) by (intros; ring).
  rewrite sumR_scal. specialize (hW i hi). pose proof (Rmult_le_compat_l K _ _ K0 hW). lra.
Qed.
End Rnn.
