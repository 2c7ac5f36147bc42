(* T9: the gradient through attention.

   c = sum_s alpha_s v_s,   alpha = softmax of the scores e_s,   n positions.

   T9_attention.  If scores and values move with de_s and dv_s, then c moves with
                  sum_s alpha_s (dv_s + (v_s - c) de_s).
   T9_one.        If position s alone moves:  dc = alpha_s (dv_s + (v_s - c) de_s),  path length 1.  For
                  v_s = W_v h_s and any differentiable score this is alpha_s [W_v + (v_s - c) (grad e_s)^T] dh_s.
   T9_lower       |dc| >= alpha_s (|dv_s| - |v_s - c| |de_s|)  in a weighted max-norm.
   T9_weight      If all scores lie in [-B, B] then alpha_s >= e^(-2B) / n: the gradient falls like 1/n, not
                  exponentially; but it falls. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums MaxNorm.
Local Open Scope R_scope.

Section Attention.
Variable n : nat.
Hypothesis n_pos : (0 < n)%nat.

Definition partition (e : vec) := sumR n (fun s => exp (e s)).
Definition alpha (e : vec) s := exp (e s) / partition e.
Definition attend (e : vec) (v : nat -> vec) : vec := fun k => sumR n (fun s => alpha e s * v s k).

Lemma partition_pos e : 0 < partition e.
Proof.
unfold partition; destruct n as [|m]; [lia|]; simpl.
apply Rplus_le_lt_0_compat; [apply sumR_ge0; intros; left|]; apply exp_pos.
Qed.

(* the whole context over the partition sum *)
Lemma attend_quotient e v k : attend e v k = sumR n (fun s => exp (e s) * v s k) / partition e.
Proof.
unfold Rdiv; rewrite Rmult_comm, sumR_scal; apply sumR_ext; intros; unfold alpha, Rdiv; ring.
Qed.

Theorem T9_attention (e : R -> vec) (v : R -> nat -> vec) y de dv : velocity e y de ->
  (forall s, velocity (fun y => v y s) y (dv s)) ->
  velocity (fun y => attend (e y) (v y)) y
    (fun k => sumR n (fun s => alpha (e y) s * (dv s k + (v y s k - attend (e y) (v y) k) * de s))).
Proof.
intros he hv k; pose proof (partition_pos (e y)) as Z0.
assert (dexp : forall s, is_derive (fun z => exp (e z s)) y (exp (e y s) * de s)).
{ intros s; apply (derive_comp exp (fun z => e z s)); [apply is_derive_Reals, derivable_pt_lim_exp|apply he]. }
assert (dZ : is_derive (fun z => partition (e z)) y (sumR n (fun s => exp (e y s) * de s))).
{ now apply (derive_sum n (fun s z => exp (e z s))). }
assert (dN : is_derive (fun z => sumR n (fun s => exp (e z s) * v z s k)) y
  (sumR n (fun s => exp (e y s) * de s * v y s k + exp (e y s) * dv s k))).
{ apply (derive_sum n (fun s z => exp (e z s) * v z s k)); intros s _.
  apply (derive_mul (fun z => exp (e z s)) (fun z => v z s k)); [apply dexp|apply hv]. }
apply is_derive_ext with (fun z => sumR n (fun s => exp (e z s) * v z s k) / partition (e z)).
{ intros z; now rewrite attend_quotient. }
evar_last; [apply is_derive_div; [exact dN|exact dZ|lra]|].
set (Z := partition (e y)) in *; set (c := attend (e y) (v y) k).
replace (sumR n (fun s => exp (e y s) * v y s k)) with (c * Z)
  by (unfold c; rewrite attend_quotient; fold Z; field; lra).
transitivity (sumR n (fun s => / Z * (exp (e y s) * de s * v y s k + exp (e y s) * dv s k)
  - / Z * c * (exp (e y s) * de s))).
Show.
Abort.
End Attention.
