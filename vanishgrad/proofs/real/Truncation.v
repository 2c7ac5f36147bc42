(* T0 (a), T1 (iii): the gradient with respect to the parameters, lag by lag, for the real tanh RNN.

   Let the weights W and the drives u_t = U x_t + b move along any differentiable curve (one of the
   parameters, say) from a fixed h_0.  What the parameters do to h_k directly, with h_{k-1} held, is

      direct k = diag (1 - h_k^2) (dW h_{k-1} + du_k),
      contribution T lag = J_T ... J_{T-lag+1} direct (T - lag).

   T0_total_gradient.  h_T moves with the sum of the contributions of all lags.
   T1_contribution.    If |W| x <= r x entrywise and |direct k| <= B for all k, lag m contributes at most r^m B.
   T1_truncation.      If r < 1, the lags from m on add up to at most B r^m / (1 - r): the sum does not vanish,
                       its long-term part does (T0 (d)), and backpropagation cut off after m steps is
                       wrong by no more than that. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars MaxNorm Rnn.
Local Open Scope R_scope.

Lemma sumR_first n f : sumR (S n) f = f 0%nat + sumR n (fun j => f (S j)).
Proof. induction n as [|n IH]; [simpl; ring|]; simpl in *; rewrite IH; ring. Qed.

Lemma mulmx_sum n A m (v : nat -> vec) i :
  mulmx n A (fun j => sumR m (fun l => v l j)) i = sumR m (fun l => mulmx n A (v l) i).
Proof.
induction m as [|m IH]; simpl.
- transitivity (0 * sumR n (A i)); [|ring].
  rewrite sumR_scal; apply sumR_ext; intros; ring.
- rewrite <- IH; unfold mulmx; rewrite sumR_add; apply sumR_ext; intros; ring.
Qed.

Section Parameters.
Variables (n : nat) (W : R -> mat) (u : R -> nat -> vec) (h0 : vec) (e : R) (dW : mat) (du : nat -> vec).
Hypothesis W_moves : forall i j, is_derive (fun y => W y i j) e (dW i j).
Hypothesis u_moves : forall t, velocity (fun y => u y t) e (du t).

Definition h y T := tanh_run n (W y) (u y) T h0.
Definition slope T i := 1 - tanh (preact n (W e) (u e) T (h e (pred T)) i) ^ 2.
Definition direct T : vec := fun i => slope T i * (mulmx n dW (h e (pred T)) i + du T i).

Fixpoint contribution T lag : vec :=
  match T, lag with
  | O, _ => still
  | S _, O => direct T
  | S t, S l => fun i => slope T i * mulmx n (W e) (contribution t l) i
  end.

Definition upto T m : vec := fun i => sumR m (fun lag => contribution T lag i).

Theorem T0_total_gradient T : velocity (fun y => h y T) e (upto T T).
Proof.
induction T as [|T IH]; [intros i; exact (derive_const (h0 i) e)|]; intros i.
assert (split_ : upto (S T) (S T) i = slope (S T) i
  * (mulmx n (W e) (upto T T) i + (mulmx n dW (h e T) i + du (S T) i))).
{ unfold upto; rewrite sumR_first, (mulmx_sum n (W e) T (contribution T)).
  rewrite Rmult_plus_distr_l, sumR_scal, Rplus_comm; reflexivity. }
rewrite split_; apply (derive_comp tanh (fun y => preact n (W y) (u y) (S T) (h y T) i)).
{ apply is_derive_tanh. }
rewrite <- Rplus_assoc; apply derive_add; [|apply u_moves].
unfold mulmx; rewrite sumR_add.
apply (derive_sum n (fun j y => W y i j * h y T j)); intros j _; rewrite Rplus_comm.
apply (derive_mul (fun y => W y i j) (fun y => h y T j)); [apply W_moves|apply IH].
Qed.

Variables (x : vec) (r B : R).
Hypothesis x_pos : forall i, 0 < x i.
Hypothesis r_range : 0 <= r < 1.
Hypothesis cert : forall i, (i < n)%nat -> sumR n (fun j => Rabs (W e i j) * x j) <= r * x i.
Hypothesis direct_le : forall k, norm n x (direct (S k)) <= B.

Lemma B_ge0 : 0 <= B.
Proof. pose proof (norm_ge0 (x:=x) n (direct 1)); pose proof (direct_le 0); lra. Qed.

Theorem T1_contribution T lag : norm n x (contribution T lag) <= r ^ lag * B.
Proof.
pose proof B_ge0; revert lag; induction T as [|T IH]; intros lag.
- simpl; rewrite norm_zero by easy; apply Rmult_le_pos; [apply pow_le|]; lra.
- destruct lag as [|lag]; [rewrite Rmult_1_l; apply direct_le|]; simpl contribution.
  eapply Rle_trans; [apply norm_gate with (c := 1); [easy|lra|intros; apply tanh'_abs_le1]|].
  rewrite Rmult_1_l, <- tech_pow_Rmult, Rmult_assoc.
  apply Rmult_le_compat; [apply opnorm_ge0|apply norm_ge0|apply opnorm_le; [easy|lra|easy]|apply IH].
Qed.

Theorem T1_truncation T m : (m <= T)%nat ->
  norm n x (fun i => upto T T i - upto T m i) <= B * r ^ m / (1 - r).
Proof.
intros hm; pose proof B_ge0.
assert (all : forall p, norm n x (fun i => upto T (m + p) i - upto T m i)
                        <= B * (r ^ m - r ^ (m + p)) / (1 - r)).
{ induction p as [|p IH].
  - rewrite Nat.add_0_r, (norm_ext x_pos n _ still) by (intros; unfold still; ring).
    rewrite norm_zero by easy; right; field; lra.
  - rewrite Nat.add_succ_r.
    rewrite (norm_ext x_pos n _ (fun i => (upto T (m + p) i - upto T m i) + contribution T (m + p) i))
      by (intros; unfold upto; simpl; ring).
    eapply Rle_trans; [apply norm_add, x_pos|].
    eapply Rle_trans; [apply Rplus_le_compat; [exact IH|apply T1_contribution]|].
    right; simpl; field; lra. }
specialize (all (T - m)%nat); replace (m + (T - m))%nat with T in all by lia.
eapply Rle_trans; [exact all|]; apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|].
apply Rmult_le_compat_l; [easy|]; pose proof (pow_le r T); lra.
Qed.
End Parameters.
