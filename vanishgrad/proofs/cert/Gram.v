(** Gram completion: a certificate for gamma |D W x|_2 <= rho |D x|_2, checked on integers.

    M is D W with rows R below it; |D W x|^2 <= |M x|^2 whatever R is. The columns of a good R make those of M
    nearly orthogonal and equally long in the norm of D: (M x)^T (M x) is then bounded, without loss, column by
    column. R is the Cholesky factor of rho^2 D^2 / gamma^2 - W^T D^2 W, rounded; nothing relies on that. *)
From Coq Require Import Reals Lra Lia List ZArith Bool.
From VG.cert Require Import Sums Integers Activations Rnn Norms.
Import ListNotations.
Local Open Scope bool_scope.
Local Open Scope Z_scope.

(** Column j has the budget [limit] d_j^2 for [unit] times its square, the products with the columns behind it,
    and those with the columns before it, which have been added up in [acc]. *)
Fixpoint gram_check (unit limit : Z) (d acc : list Z) (columns : list (list Z)) : bool :=
  match columns, d, acc with
  | nil, nil, nil => true
  | a :: columns', w :: d', s :: acc' =>
      let products := map (fun b => Z.abs (dot a b)) columns' in
      (unit * (dot a a + s + total products) <=? limit * (w * w)) &&
      gram_check unit limit d' (zip Z.add acc' products) columns'
  | _, _, _ => false
  end.

(** Columns of D W over those of R. *)
Definition completed (scale : list Z) (columns factor : list (list Z)) : list (list Z) :=
  map (fun p => zip Z.mul scale (fst p) ++ snd p) (combine columns factor).

Definition certified_norm (k g e : nat) (r : Z) (scale : list Z) (columns factor : list (list Z)) : bool :=
  gram_check (2 ^ (2 * Z.of_nat e)) (r * r * 2 ^ (2 * (Z.of_nat k + Z.of_nat g))) scale
    (map (fun _ => 0) columns) (completed scale columns factor).

Local Open Scope R_scope.

Definition entry (columns : list (list Z)) i j := zn (nth j columns nil) i.
Definition image (columns : list (list Z)) x i := sumR (length columns) (fun j => entry columns i j * x j).

Lemma image_cons a columns x i : image (a :: columns) x i = zn a i * x O + image columns (fun j => x (S j)) i.
Proof. unfold image; simpl length. now rewrite sumR_first. Qed.

(** sum_i a_i (M x)_i = sum_j (a . column j) x_j *)
Lemma cross p a columns x : (length a <= p)%nat ->
  sumR p (fun i => zn a i * image columns x i) = sumR (length columns) (fun j => IZR (dot a (nth j columns nil)) * x j).
Proof.
intros h; revert x; induction columns as [|b columns IH]; intros x.
- simpl. apply sumR_zero; intros; unfold image; simpl; ring.
- simpl length; rewrite sumR_first. simpl nth. rewrite <- (IH (fun j => x (S j))), (dot_sum p) by easy.
  rewrite Rmult_comm, <- sumR_scal, <- sumR_plus. apply sumR_ext; intros i _. rewrite image_cons; ring.
Qed.

Lemma two_xy a b x y : Rabs a = b -> 2 * (a * x * y) <= b * (x ^ 2 + y ^ 2).
Proof.
intros <-.
assert (h : 2 * Rabs (x * y) <= x ^ 2 + y ^ 2).
{ pose proof (pow2_ge_0 (x - y)); pose proof (pow2_ge_0 (x + y)). unfold Rabs; destruct (Rcase_abs (x * y)); lra. }
pose proof (Rmult_le_compat_l _ _ _ (Rabs_pos a) h) as q.
pose proof (Rle_abs (a * (x * y))) as l. rewrite Rabs_mult in l. rewrite !Rmult_assoc; lra.
Qed.

Lemma gram_check_lengths unit limit d acc columns : gram_check unit limit d acc columns = true ->
  length d = length columns /\ (length columns <= length acc)%nat.
Proof.
revert d acc; induction columns as [|a columns IH]; intros [|w d] [|s acc] h; try discriminate; [easy|].
simpl in h; apply andb_prop in h; destruct h as [_ h]. apply IH in h. destruct h as [h1 h2].
rewrite zip_length, map_length in h2. simpl. lia.
Qed.

Lemma gram_check_bound p unit limit d acc columns : 0 <= IZR unit ->
  forallb (fun a => (length a <=? p)%nat) columns = true ->
  gram_check unit limit d acc columns = true -> forall x,
  IZR unit * (square p (image columns x) + sumR (length columns) (fun j => zn acc j * x j ^ 2))
  <= IZR limit * square (length columns) (fun j => zn d j * x j).
Proof.
intros u0; revert d acc; induction columns as [|a columns IH]; intros d acc hl hc x.
- unfold square, image; simpl. rewrite sumR_zero; [lra|intros; simpl; ring].
- destruct d as [|w d]; [discriminate|]. destruct acc as [|s acc]; [discriminate|].
  simpl in hl, hc. apply andb_prop in hl; destruct hl as [la hl]. apply Nat.leb_le in la.
  apply andb_prop in hc; destruct hc as [budget hc].
  set (products := map (fun b => Z.abs (dot a b)) columns) in *.
  destruct (gram_check_lengths _ _ _ _ _ hc) as [_ lz]. rewrite zip_length in lz.
  assert (lp : length products = length columns) by apply map_length.
  specialize (IH _ _ hl hc (fun j => x (S j))).
  apply Z.leb_le, IZR_le in budget. rewrite !mult_IZR, !plus_IZR, total_sum, lp, (dot_sum p) in budget by easy.
  rewrite (sumR_ext _ (fun j => zn (zip Z.add acc products) j * _)
             (fun j => zn acc j * x (S j) ^ 2 + zn products j * x (S j) ^ 2)) in IH.
  2:{ intros j hj. unfold zn at 1. rewrite zip_nth, plus_IZR by lia. fold (zn acc j) (zn products j). ring. }
  rewrite sumR_plus in IH. simpl length. unfold square in *; rewrite !sumR_first.
  set (y := image columns (fun j => x (S j))) in *.
  rewrite (sumR_ext p _ (fun i => x O ^ 2 * (zn a i * zn a i) + (2 * x O * (zn a i * y i) + y i ^ 2)))
    by (intros i _; rewrite image_cons; fold y; ring).
  rewrite !sumR_plus, !sumR_scal. unfold y at 1. rewrite cross by easy.
  set (aa := sumR p (fun i => zn a i * zn a i)) in *. set (yy := sumR p (fun i => y i ^ 2)) in *.
  assert (mixed : 2 * x O * sumR (length columns) (fun j => IZR (dot a (nth j columns nil)) * x (S j))
     <= x O ^ 2 * sumR (length columns) (zn products) + sumR (length columns) (fun j => zn products j * x (S j) ^ 2)).
  { rewrite <- !sumR_scal, <- sumR_plus. apply sumR_le; intros j hj.
    assert (q : Rabs (IZR (dot a (nth j columns nil))) = zn products j).
    { unfold products, zn. rewrite <- abs_IZR. f_equal.
      rewrite (nth_indep _ _ (Z.abs (dot a nil))) by now rewrite map_length.
      now rewrite (map_nth (fun b => Z.abs (dot a b))). }
    pose proof (two_xy _ _ (x O) (x (S j)) q). lra. }
  change (zn (w :: d) 0) with (IZR w). change (zn (s :: acc) 0) with (IZR s).
  change (fun i => zn (s :: acc) (S i) * x (S i) ^ 2) with (fun i => zn acc i * x (S i) ^ 2).
  change (fun i => (zn (w :: d) (S i) * x (S i)) ^ 2) with (fun i => (zn d i * x (S i)) ^ 2).
  set (P := sumR (length columns) (zn products)) in *.
  set (Q := sumR (length columns) (fun j => zn products j * x (S j) ^ 2)) in *.
  set (A := sumR (length columns) (fun j => zn acc j * x (S j) ^ 2)) in *.
  set (D := sumR (length columns) (fun i => (zn d i * x (S i)) ^ 2)) in *.
  set (X := 2 * x O * _) in *.
  pose proof (pow2_ge_0 (x O)) as x2.
  pose proof (Rmult_le_compat_l _ _ _ x2 budget).
  pose proof (Rmult_le_compat_l _ _ _ u0 mixed).
  apply Rle_trans with (x O ^ 2 * (IZR unit * (aa + IZR s + P)) + IZR unit * (yy + (A + Q))); [lra|].
  apply Rle_trans with (x O ^ 2 * (IZR limit * (IZR w * IZR w)) + IZR limit * D); [lra|].
  right; ring.
Qed.

(** The real inequality that a certificate shows. *)
Theorem certified_norm_sound n k g e r scale columns factor : length columns = n -> length factor = n ->
  length scale = n -> forallb (fun a => (length a =? n)%nat) columns = true ->
  forallb (fun a => (length a <=? n)%nat) factor = true ->
  certified_norm k g e r scale columns factor = true -> forall x,
  (/ 2 ^ g) ^ 2 * square n (fun i => zn scale i * sumR n (fun j => of_columns k columns i j * x j))
  <= (IZR r / 2 ^ e) ^ 2 * square n (fun j => zn scale j * x j).
Proof.
intros lc lf ls hc hf hcheck x.
set (M := completed scale columns factor).
assert (lM : length M = n) by (unfold M, completed; rewrite map_length, combine_length; lia).
assert (nthM : forall j, (j < n)%nat -> nth j M nil = zip Z.mul scale (nth j columns nil) ++ nth j factor nil).
{ intros j hj. unfold M, completed.
  set (f := fun p : list Z * list Z => zip Z.mul scale (fst p) ++ snd p).
  rewrite (nth_indep _ _ (f (nil, nil))) by (rewrite map_length, combine_length; lia).
  rewrite (map_nth f), combine_nth by lia. reflexivity. }
rewrite forallb_forall in hc, hf.
assert (lcj : forall j, (j < n)%nat -> length (nth j columns nil) = n)
  by (intros j hj; apply Nat.eqb_eq, hc, nth_In; lia).
assert (hM : forallb (fun a => (length a <=? n + n)%nat) M = true).
{ apply forallb_forall; intros a ha. apply Nat.leb_le.
  destruct (In_nth _ _ nil ha) as [j [hj <-]]. rewrite lM in hj. rewrite nthM by easy.
  assert (length (nth j factor nil) <= n)%nat by (apply Nat.leb_le, hf, nth_In; lia).
  rewrite app_length, zip_length, lcj by easy. lia. }
unfold certified_norm in hcheck. fold M in hcheck.
set (unit := (2 ^ (2 * Z.of_nat e))%Z) in hcheck. set (limit := (r * r * _)%Z) in hcheck.
assert (unitR : IZR unit = 2 ^ e * 2 ^ e).
{ unfold unit. rewrite <- pow_add, pow_IZR_nat. do 2 f_equal; lia. }
assert (limitR : IZR limit = IZR r * IZR r * (2 ^ k * 2 ^ k * (2 ^ g * 2 ^ g))).
{ unfold limit. rewrite !mult_IZR, <- !pow_add, pow_IZR_nat. do 3 f_equal; lia. }
assert (pe := pow2_pos e); assert (pk := pow2_pos k); assert (pg := pow2_pos g).
pose proof (gram_check_bound (n + n) unit limit scale _ M ltac:(rewrite unitR; nra) hM hcheck x) as B.
rewrite lM in B.
assert (zero : sumR n (fun j => zn (map (fun _ => 0%Z) columns) j * x j ^ 2) = 0).
{ apply sumR_zero; intros j _. replace (zn (map (fun _ => 0%Z) columns) j) with 0; [ring|].
  unfold zn. f_equal. clear; revert j; induction columns as [|a c IH]; intros [|j]; simpl; auto. }
rewrite zero, Rplus_0_r in B.
assert (part : square n (fun i => zn scale i * sumR n (fun j => of_columns k columns i j * x j)) * (2 ^ k * 2 ^ k)
               <= square (n + n) (image M x)).
{ apply Rle_trans with (square n (image M x)); [|apply sumR_mono; [lia|intros; apply pow2_ge_0]].
  rewrite Rmult_comm. unfold square; rewrite <- sumR_scal. right; apply sumR_ext; intros i hi.
  unfold image; rewrite lM.
  rewrite (sumR_ext n (fun j => entry M i j * x j)
             (fun j => zn scale i * 2 ^ k * (of_columns k columns i j * x j))).
  2:{ intros j hj. unfold entry. rewrite nthM by easy. unfold zn at 1.
      rewrite app_nth1 by (rewrite zip_length, lcj by easy; lia).
      rewrite zip_nth, mult_IZR by (rewrite ?lcj by easy; lia). unfold of_columns, zn. field; lra. }
  rewrite sumR_scal. ring. }
rewrite unitR, limitR in B.
set (S1 := square n (fun i => zn scale i * sumR n (fun j => of_columns k columns i j * x j))) in *.
set (S2 := square n (fun j => zn scale j * x j)) in *.
apply (Rmult_le_reg_l ((2 ^ e * 2 ^ e) * (2 ^ k * 2 ^ k * (2 ^ g * 2 ^ g))));
  [repeat apply Rmult_lt_0_compat; easy|].
replace (2 ^ e * 2 ^ e * (2 ^ k * 2 ^ k * (2 ^ g * 2 ^ g)) * ((/ 2 ^ g) ^ 2 * S1))
  with (2 ^ e * 2 ^ e * (S1 * (2 ^ k * 2 ^ k))) by (field; lra).
replace (2 ^ e * 2 ^ e * (2 ^ k * 2 ^ k * (2 ^ g * 2 ^ g)) * ((IZR r / 2 ^ e) ^ 2 * S2))
  with (IZR r * IZR r * (2 ^ k * 2 ^ k * (2 ^ g * 2 ^ g)) * S2) by (field; lra).
eapply Rle_trans; [|exact B]. apply Rmult_le_compat_l; [nra|exact part].
Qed.

(** What an emitted file applies: rho = r / 2^e, C = c / 2^f, lo <= scale <= hi. *)
Section Certificate.
Variables (n k g e f : nat) (r c lo hi : Z) (scale : list Z) (columns factor : list (list Z)).

Definition gram_certificate : bool :=
  (length columns =? n)%nat && (length factor =? n)%nat && (length scale =? n)%nat &&
  forallb (fun a => (length a =? n)%nat) columns && forallb (fun a => (length a <=? n)%nat) factor &&
  (0 <? lo)%Z && (0 <=? r)%Z && (r <? 2 ^ Z.of_nat e)%Z && (0 <=? c)%Z && (hi * 2 ^ Z.of_nat f <=? c * lo)%Z &&
  within lo hi scale && certified_norm k g e r scale columns factor.

Variables (phi phi' : R -> R) (smooth : R -> Prop).
Hypothesis phi_derive : forall a, smooth a -> derivable_pt_lim phi a (phi' a).
Hypothesis phi'_le : forall a, Rabs (phi' a) <= / 2 ^ g.

Theorem gram_vanishes : gram_certificate = true ->
  IZR r / 2 ^ e < 1 /\
  forall (u : nat -> nat -> R) (k0 T : nat) (h : R -> nat -> R) (y : R) (v : nat -> R),
  smooth_run n (of_columns k columns) phi smooth u k0 T (h y) ->
  (forall i, (i < n)%nat -> derivable_pt_lim (fun z => h z i) y (v i)) ->
  exists d : nat -> R,
    (forall i, (i < n)%nat -> derivable_pt_lim (fun z => run n (of_columns k columns) phi u k0 T (h z) i) y (d i)) /\
    norm n d <= IZR c / 2 ^ f * (IZR r / 2 ^ e) ^ T * norm n v.
Proof.
unfold gram_certificate; rewrite !andb_true_iff. intros [[[[[[[[[[[lc lf] ls] hc] hf] l0] r0] r1] c0] hC] hw] check].
apply Nat.eqb_eq in lc, lf, ls. apply Z.ltb_lt, IZR_lt in l0. apply Z.leb_le, IZR_le in r0.
apply Z.ltb_lt, IZR_lt in r1. rewrite <- pow_IZR_nat in r1. apply Z.leb_le, IZR_le in c0.
apply Z.leb_le, IZR_le in hC. rewrite !mult_IZR, <- pow_IZR_nat in hC.
assert (pe := pow2_pos e); assert (pf := pow2_pos f).
assert (rho0 : 0 <= IZR r / 2 ^ e) by (apply Rmult_le_pos; [easy|now apply Rlt_le, Rinv_0_lt_compat]).
split; [apply (Rmult_lt_reg_r (2 ^ e)); [easy|]; replace (IZR r / 2 ^ e * 2 ^ e) with (IZR r) by (field; lra); lra|].
intros u k0 T h y v hs hv.
exists (tangent n (of_columns k columns) phi phi' u k0 T (h y) v). split.
- now apply (tangent_derive n (of_columns k columns) phi phi' smooth).
- apply (norm_of_scaled n (zn scale) _ _ (IZR lo) (IZR hi)); auto.
  + intros i hi'. apply within_bounds; [easy|lia].
  + apply Rmult_le_pos; [easy|now apply Rlt_le, Rinv_0_lt_compat].
  + apply (Rmult_le_reg_r (2 ^ f)); [easy|].
    replace (IZR c / 2 ^ f * IZR lo * 2 ^ f) with (IZR c * IZR lo) by (field; lra). lra.
  + apply (tangent_scaled_norm n (of_columns k columns) phi phi' (/ 2 ^ g)); auto; [|apply pow2_ge_0].
    now apply (certified_norm_sound n k g e r scale columns factor).
Qed.
End Certificate.
