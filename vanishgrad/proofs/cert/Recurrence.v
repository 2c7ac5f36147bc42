(** Any recurrent cell s_t = step x_t s_(t-1): if its derivative shrinks a weighted max-norm at every state of a box
    that no step leaves, for every admitted input, the product of its Jacobians vanishes. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From VG.cert Require Import Sums Norms.
Local Open Scope R_scope.

Section Recurrence.
Variables (m : nat) (step : (nat -> R) -> (nat -> R) -> nat -> R).
Variable step' : (nat -> R) -> (nat -> R) -> (nat -> R) -> nat -> R.
Variables (admitted inside : (nat -> R) -> Prop).
Hypothesis step_derive : forall x (s : R -> nat -> R) v e,
  (forall i, (i < m)%nat -> derivable_pt_lim (fun y => s y i) e (v i)) ->
  forall i, (i < m)%nat -> derivable_pt_lim (fun y => step x (s y) i) e (step' x (s e) v i).
Hypothesis stays : forall x s, admitted x -> inside s -> inside (step x s).

(** The state T steps after time k, and J_(k+T) ... J_(k+1) v. *)
Fixpoint evolve (X : nat -> nat -> R) k T (s : nat -> R) : nat -> R :=
  match T with O => s | S T' => step (X (k + S T')%nat) (evolve X k T' s) end.

Fixpoint carried (X : nat -> nat -> R) k T (s v : nat -> R) : nat -> R :=
  match T with O => v | S T' => step' (X (k + S T')%nat) (evolve X k T' s) (carried X k T' s v) end.

Lemma evolve_inside X k T s : (forall t, admitted (X t)) -> inside s -> inside (evolve X k T s).
Proof. intros hX hs; induction T as [|T IH]; simpl; auto. Qed.

Lemma carried_derive X k T (s : R -> nat -> R) v e :
  (forall i, (i < m)%nat -> derivable_pt_lim (fun y => s y i) e (v i)) ->
  forall i, (i < m)%nat -> derivable_pt_lim (fun y => evolve X k T (s y) i) e (carried X k T (s e) v i).
Proof.
intros hs; induction T as [|T IH]; simpl; [exact hs|].
exact (step_derive _ (fun y => evolve X k T (s y)) _ e IH).
Qed.

Variables (w : nat -> R) (rho C lo hi : R).
Hypothesis shrinks : forall x s v K, admitted x -> inside s -> 0 <= K ->
  (forall i, (i < m)%nat -> Rabs (v i) <= K * w i) ->
  forall i, (i < m)%nat -> Rabs (step' x s v i) <= rho * K * w i.
Hypothesis lo0 : 0 < lo.
Hypothesis rho0 : 0 <= rho.
Hypothesis C0 : 0 <= C.
Hypothesis w_bounds : forall i, (i < m)%nat -> lo <= w i <= hi.
Hypothesis condition : INR m * hi ^ 2 <= C ^ 2 * lo ^ 2.

(** From s_0 = 0: the derivative of s_(k+T) by s_k in the direction v. *)
Theorem recurrence_vanishes (X : nat -> nat -> R) k T v : (forall t, admitted (X t)) -> inside (fun _ => 0) ->
  let s := evolve X 0 k (fun _ => 0) in
  exists D, (forall i, (i < m)%nat ->
      derivable_pt_lim (fun y => evolve X k T (fun j => s j + y * v j) i) 0 (D i)) /\
    norm m D <= C * rho ^ T * norm m v.
Proof.
intros hX h0 s. exists (carried X k T s v). split.
- assert (E : s = (fun j => s j + 0 * v j)) by (apply functional_extensionality; intros; ring).
  pose proof (carried_derive X k T (fun y j => s j + y * v j) v 0) as D. cbv beta in D. rewrite <- E in D.
  apply D; clear D; intros i _.
  assert (L : derivable_pt_lim (fun y => s i + y * v i) 0 (0 + (1 * v i + 0 * 0))).
  { apply (derivable_pt_lim_plus (fct_cte (s i)) (fun y => y * v i)); [apply derivable_pt_lim_const|].
    apply (derivable_pt_lim_mult id (fct_cte (v i))); [apply derivable_pt_lim_id|apply derivable_pt_lim_const]. }
  replace (0 + (1 * v i + 0 * 0)) with (v i) in L by ring. exact L.
- apply (norm_of_max m w rho C lo hi (fun T => carried X k T s v)); auto.
  intros T' K K0 hv. apply shrinks; auto. now apply evolve_inside, evolve_inside.
Qed.
End Recurrence.
