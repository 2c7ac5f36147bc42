(** The weighted max-norm: a certificate for gamma |W| x <= rho x, checked on integers.

    Coarser than a Gram completion for dense W, but its cost is that of one product with a vector. *)
From Coq Require Import Reals Lra Lia List ZArith Bool.
From VG.cert Require Import Sums Integers Activations Rnn Norms.
Import ListNotations.
Local Open Scope bool_scope.
Local Open Scope R_scope.

(** |W| x <= rho x / gamma with rho = r / 2^e, gamma = 1 / 2^g, W in units of 2^-k. *)
Fixpoint rows_check (limit unit : Z) (weights : list Z) (rows : list (list Z)) (x : list Z) : bool :=
  match rows, x with
  | a :: rows', w :: x' => (absdot a weights * unit <=? limit * w)%Z && rows_check limit unit weights rows' x'
  | _, _ => true
  end.

Lemma rows_check_row limit unit weights rows x i : rows_check limit unit weights rows x = true ->
  (i < length rows)%nat -> (i < length x)%nat ->
  (absdot (nth i rows nil) weights * unit <= limit * nth i x 0)%Z.
Proof.
revert x i; induction rows as [|a rows IH]; intros [|w x] i h; simpl; try lia.
simpl in h; apply andb_prop in h; destruct h as [h1 h2]. destruct i as [|i]; intros.
- now apply Z.leb_le.
- apply IH; [easy|lia|lia].
Qed.

(** INR m hi^2 <= C^2 lo^2 on integers, C = c / 2^f. *)
Definition condition_check (m f : nat) (c lo hi : Z) : bool :=
  (0 <? lo)%Z && (0 <=? c)%Z && (Z.of_nat m * (hi * hi) * 2 ^ (2 * Z.of_nat f) <=? c * c * (lo * lo))%Z.

Lemma condition_sound m f c lo hi : condition_check m f c lo hi = true ->
  0 < IZR lo /\ 0 <= IZR c / 2 ^ f /\ INR m * IZR hi ^ 2 <= (IZR c / 2 ^ f) ^ 2 * IZR lo ^ 2.
Proof.
unfold condition_check; rewrite !andb_true_iff. intros [[l0 c0] h].
apply Z.ltb_lt, IZR_lt in l0. apply Z.leb_le, IZR_le in c0. apply Z.leb_le, IZR_le in h.
assert (pf := pow2_pos f).
rewrite !mult_IZR, <- INR_IZR_INZ in h. replace (2 * Z.of_nat f)%Z with (Z.of_nat (f + f)) in h by lia.
rewrite <- pow_IZR_nat, pow_add in h. repeat split; [easy|now apply Rmult_le_pos, Rlt_le, Rinv_0_lt_compat|].
apply (Rmult_le_reg_r (2 ^ f * 2 ^ f)); [now apply Rmult_lt_0_compat|].
replace ((IZR c / 2 ^ f) ^ 2 * IZR lo ^ 2 * (2 ^ f * 2 ^ f)) with (IZR c * IZR c * (IZR lo * IZR lo)) by (field; lra).
lra.
Qed.

Section Certificate.
Variables (n k g e f : nat) (r c lo hi : Z) (x : list Z) (rows : list (list Z)).

Definition max_certificate : bool :=
  square_shaped n rows && (length x =? n)%nat && (0 <=? r)%Z && (r <? 2 ^ Z.of_nat e)%Z &&
  condition_check n f c lo hi && within lo hi x &&
  rows_check (r * 2 ^ (Z.of_nat k + Z.of_nat g)) (2 ^ Z.of_nat e) x rows x.

Lemma max_row i : max_certificate = true -> (i < n)%nat ->
  / 2 ^ g * sumR n (fun j => Rabs (of_rows k rows i j) * zn x j) <= IZR r / 2 ^ e * zn x i.
Proof.
unfold max_certificate; rewrite !andb_true_iff. intros [[[[[[hs lx] _] _] _] _] h] hi'.
apply Nat.eqb_eq in lx. pose proof (shape_length _ _ hs).
apply (rows_check_row _ _ _ _ _ i) in h; [|lia|lia]. apply IZR_le in h.
rewrite !mult_IZR, (absdot_sum n) in h by now apply shape_row.
rewrite <- Nat2Z.inj_add, <- !pow_IZR_nat, pow_add in h. fold (zn x i) in h.
assert (pe := pow2_pos e); assert (pk := pow2_pos k); assert (pg := pow2_pos g).
rewrite (sumR_ext n _ (fun j => / 2 ^ k * (Rabs (zn (nth i rows nil) j) * zn x j)))
  by (intros j _; rewrite of_rows_abs; field; lra).
rewrite sumR_scal. set (s := sumR n _) in *.
apply (Rmult_le_reg_r (2 ^ e * (2 ^ k * 2 ^ g))); [repeat apply Rmult_lt_0_compat; easy|].
replace (/ 2 ^ g * (/ 2 ^ k * s) * (2 ^ e * (2 ^ k * 2 ^ g))) with (s * 2 ^ e) by (field; lra).
replace (IZR r / 2 ^ e * zn x i * (2 ^ e * (2 ^ k * 2 ^ g))) with (IZR r * (2 ^ k * 2 ^ g) * zn x i) by (field; lra).
exact h.
Qed.

Variables (phi phi' : R -> R) (smooth : R -> Prop).
Hypothesis phi_derive : forall a, smooth a -> derivable_pt_lim phi a (phi' a).
Hypothesis phi'_le : forall a, Rabs (phi' a) <= / 2 ^ g.

Theorem max_vanishes : max_certificate = true ->
  IZR r / 2 ^ e < 1 /\
  forall (u : nat -> nat -> R) (k0 T : nat) (h : R -> nat -> R) (y : R) (v : nat -> R),
  smooth_run n (of_rows k rows) phi smooth u k0 T (h y) ->
  (forall i, (i < n)%nat -> derivable_pt_lim (fun z => h z i) y (v i)) ->
  exists d : nat -> R,
    (forall i, (i < n)%nat -> derivable_pt_lim (fun z => run n (of_rows k rows) phi u k0 T (h z) i) y (d i)) /\
    norm n d <= IZR c / 2 ^ f * (IZR r / 2 ^ e) ^ T * norm n v.
Proof.
intros hc. pose proof (fun i => max_row i hc) as hrow.
unfold max_certificate in hc; rewrite !andb_true_iff in hc. destruct hc as [[[[[[hs lx] r0] r1] cond] hw] _].
apply Nat.eqb_eq in lx. apply Z.leb_le, IZR_le in r0. apply Z.ltb_lt, IZR_lt in r1. rewrite <- pow_IZR_nat in r1.
destruct (condition_sound _ _ _ _ _ cond) as [l0 [c0 hC]]. assert (pe := pow2_pos e).
assert (rho0 : 0 <= IZR r / 2 ^ e) by (apply Rmult_le_pos; [easy|now apply Rlt_le, Rinv_0_lt_compat]).
split; [apply (Rmult_lt_reg_r (2 ^ e)); [easy|]; replace (IZR r / 2 ^ e * 2 ^ e) with (IZR r) by (field; lra); lra|].
intros u k0 T h y v hs' hv.
exists (tangent n (of_rows k rows) phi phi' u k0 T (h y) v). split.
- now apply (tangent_derive n (of_rows k rows) phi phi' smooth).
- apply (norm_of_max n (zn x) _ _ (IZR lo) (IZR hi) (fun s => tangent n (of_rows k rows) phi phi' u k0 s (h y) v)); auto.
  + intros i hi'. apply within_bounds; [easy|lia].
  + intros s K K0. now apply (tangent_max_norm n (of_rows k rows) phi phi' (/ 2 ^ g)).
Qed.
End Certificate.
