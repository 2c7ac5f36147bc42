(** One gate's pre-activation W h + V x + b over a box of states and inputs, in fixed point. *)
From Coq Require Import Reals Lra Lia List ZArith.
From VG.cert Require Import Sums Integers FixedPoint.
Local Open Scope R_scope.

Section Gate.
Variables (n d k p : nat) (W V : list (list Z)) (b : list Z).

(** Row a of W h + V x + b; W, V and b are in units of 2^-k. *)
Definition affine (x h : nat -> R) a :=
  sumR n (fun l => of_rows k W a l * h l) + sumR d (fun l => of_rows k V a l * x l) + zn b a / 2 ^ k.

Definition reach (hb xb : list Z) a : Z :=
  cdiv (absdot (nth a W nil) hb + absdot (nth a V nil) xb) (2 ^ Z.of_nat k).
Definition bias a : Z := (nth a b 0 * 2 ^ Z.of_nat p)%Z.
Definition high hb xb a : Z := (cdiv (bias a) (2 ^ Z.of_nat k) + reach hb xb a)%Z.
Definition low hb xb a : Z := (bias a / 2 ^ Z.of_nat k - reach hb xb a)%Z.

(** |W| w, row a *)
Definition spread (w : list Z) a : Z := cdiv (absdot (nth a W nil) w * 2 ^ Z.of_nat p) (2 ^ Z.of_nat k).

Hypothesis W_rows : forall a, (length (nth a W nil) <= n)%nat.
Hypothesis V_rows : forall a, (length (nth a V nil) <= d)%nat.

Lemma row_sum m rows y yb a : (length (nth a rows nil) <= m)%nat ->
  (forall l, (l < m)%nat -> Rabs (y l) <= fx p (nth l yb 0%Z)) ->
  Rabs (sumR m (fun l => of_rows k rows a l * y l)) <= fx p (absdot (nth a rows nil) yb) / 2 ^ k.
Proof.
intros hr hy. pose proof (pow2_pos k); pose proof (pow2_pos p).
eapply Rle_trans; [apply sumR_weighted; exact hy|].
rewrite (sumR_ext m _ (fun l => / 2 ^ k * / 2 ^ p * (Rabs (zn (nth a rows nil) l) * zn yb l)))
  by (intros l _; rewrite of_rows_abs; unfold fx, zn; field; lra).
rewrite sumR_scal, <- (absdot_sum m) by easy. right; unfold fx; field; lra.
Qed.

Lemma affine_bounds x h xb hb a :
  (forall l, (l < n)%nat -> Rabs (h l) <= fx p (nth l hb 0%Z)) ->
  (forall l, (l < d)%nat -> Rabs (x l) <= fx p (nth l xb 0%Z)) ->
  fx p (low hb xb a) <= affine x h a <= fx p (high hb xb a).
Proof.
intros hh hx. unfold affine, low, high. rewrite fx_minus, fx_plus.
pose proof (row_sum n W h hb a (W_rows a) hh) as sh. pose proof (row_sum d V x xb a (V_rows a) hx) as sx.
pose proof (pow2_pos k) as pk; pose proof (pow2_pos p) as pp.
assert (R : fx p (absdot (nth a W nil) hb) / 2 ^ k + fx p (absdot (nth a V nil) xb) / 2 ^ k <= fx p (reach hb xb a)).
{ unfold fx, reach. set (A := absdot (nth a W nil) hb). set (B := absdot (nth a V nil) xb).
  pose proof (cdiv_ge (A + B) k) as c. rewrite plus_IZR in c.
  replace (IZR A / 2 ^ p / 2 ^ k + IZR B / 2 ^ p / 2 ^ k) with ((IZR A + IZR B) / 2 ^ k / 2 ^ p) by (field; lra).
  apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy]. }
assert (bl : fx p (bias a / 2 ^ Z.of_nat k) <= zn b a / 2 ^ k).
{ unfold fx, zn. pose proof (floor_le (bias a) k) as f. unfold bias at 2 in f. rewrite mult_IZR, <- pow_IZR_nat in f.
  replace (IZR (nth a b 0%Z) / 2 ^ k) with (IZR (nth a b 0%Z) * 2 ^ p / 2 ^ k / 2 ^ p) by (field; lra).
  apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy]. }
assert (bh : zn b a / 2 ^ k <= fx p (cdiv (bias a) (2 ^ Z.of_nat k))).
{ unfold fx, zn. pose proof (cdiv_ge (bias a) k) as f. unfold bias at 1 in f. rewrite mult_IZR, <- pow_IZR_nat in f.
  replace (IZR (nth a b 0%Z) / 2 ^ k) with (IZR (nth a b 0%Z) * 2 ^ p / 2 ^ k / 2 ^ p) by (field; lra).
  apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy]. }
apply Rabs_def2_le in sh. apply Rabs_def2_le in sx. lra.
Qed.

Lemma inflow_bound v w K a : 0 <= K -> (forall l, (l < n)%nat -> Rabs (v l) <= K * zn w l) ->
  Rabs (sumR n (fun l => of_rows k W a l * v l)) <= K * fx p (spread w a).
Proof.
intros K0 hv. pose proof (pow2_pos k) as pk; pose proof (pow2_pos p) as pp.
eapply Rle_trans; [apply sumR_weighted; exact hv|].
rewrite (sumR_ext n _ (fun l => K * / 2 ^ k * (Rabs (zn (nth a W nil) l) * zn w l)))
  by (intros l _; rewrite of_rows_abs; field; lra).
rewrite sumR_scal, <- (absdot_sum n) by easy. rewrite Rmult_assoc. apply Rmult_le_compat_l; [easy|].
unfold fx, spread. set (A := absdot _ _).
pose proof (cdiv_ge (A * 2 ^ Z.of_nat p) k) as c. rewrite mult_IZR, <- pow_IZR_nat in c.
replace (/ 2 ^ k * IZR A) with (IZR A * 2 ^ p / 2 ^ k / 2 ^ p) by (field; lra).
apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy].
Qed.

(** |W| y for a vector of bounds in fixed point *)
Definition gathered (yb : list Z) a : Z := cdiv (absdot (nth a W nil) yb) (2 ^ Z.of_nat k).

Lemma gathered_bound y yb K a : 0 <= K -> (forall l, (l < n)%nat -> Rabs (y l) <= K * fx p (nth l yb 0%Z)) ->
  Rabs (sumR n (fun l => of_rows k W a l * y l)) <= K * fx p (gathered yb a).
Proof.
intros K0 hy. pose proof (pow2_pos k) as pk; pose proof (pow2_pos p) as pp.
eapply Rle_trans; [apply sumR_weighted; exact hy|].
rewrite (sumR_ext n _ (fun l => K * / 2 ^ k * / 2 ^ p * (Rabs (zn (nth a W nil) l) * zn yb l)))
  by (intros l _; rewrite of_rows_abs; unfold fx, zn; field; lra).
rewrite sumR_scal, <- (absdot_sum n) by easy. rewrite !Rmult_assoc. apply Rmult_le_compat_l; [easy|].
unfold fx, gathered. set (A := absdot _ _). pose proof (cdiv_ge A k) as c.
replace (/ 2 ^ k * (/ 2 ^ p * IZR A)) with (IZR A / 2 ^ k / 2 ^ p) by (field; lra).
apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy].
Qed.

Lemma affine_derive x (h : R -> nat -> R) v e a :
  (forall l, (l < n)%nat -> derivable_pt_lim (fun y => h y l) e (v l)) ->
  derivable_pt_lim (fun y => affine x (h y) a) e (sumR n (fun l => of_rows k W a l * v l)).
Proof.
intros hv. unfold affine.
replace (sumR n (fun l => of_rows k W a l * v l)) with (sumR n (fun l => of_rows k W a l * v l) + 0 + 0) by ring.
apply (derivable_pt_lim_plus (fun y => sumR n (fun l => of_rows k W a l * h y l)
   + sumR d (fun l => of_rows k V a l * x l)) (fct_cte (zn b a / 2 ^ k))); [|apply derivable_pt_lim_const].
apply (derivable_pt_lim_plus (fun y => sumR n (fun l => of_rows k W a l * h y l))
   (fct_cte (sumR d (fun l => of_rows k V a l * x l)))); [|apply derivable_pt_lim_const].
now apply sum_derive.
Qed.
End Gate.

(** The range of |a| for lo <= a <= hi. *)
Definition nearest (lo hi : Z) : Z := Z.max 0 (Z.max lo (- hi)).
Definition farthest (lo hi : Z) : Z := Z.max (- lo) hi.

Lemma magnitude p lo hi a : fx p lo <= a <= fx p hi -> fx p (nearest lo hi) <= Rabs a <= fx p (farthest lo hi).
Proof.
intros h. unfold nearest, farthest. rewrite !fx_max, !fx_opp.
assert (z : fx p 0 = 0) by (unfold fx, Rdiv; apply Rmult_0_l). rewrite z.
split.
- apply Rmax_lub; [apply Rabs_pos|apply Rmax_lub]; unfold Rabs; destruct (Rcase_abs a); lra.
- unfold Rabs; destruct (Rcase_abs a).
  + apply Rle_trans with (2 := Rmax_l _ _); lra.
  + apply Rle_trans with (2 := Rmax_r _ _); lra.
Qed.

(** The largest of finitely many; and a range cut into pieces, one of which holds any number of it. *)
Fixpoint largest (m : nat) (f : nat -> Z) : Z := match m with O => 0%Z | S m' => Z.max (largest m' f) (f m') end.

Lemma largest_ge m f q : (q < m)%nat -> (f q <= largest m f)%Z.
Proof.
induction m as [|m IH]; intros h; [lia|]. simpl. destruct (Nat.eq_dec q m) as [->|ne]; [lia|].
specialize (IH ltac:(lia)); lia.
Qed.

Lemma piece p (cut : nat -> Z) m y : fx p (cut O) <= y <= fx p (cut (S m)) ->
  exists q, (q <= m)%nat /\ fx p (cut q) <= y <= fx p (cut (S q)).
Proof.
intros [l h]. induction m as [|m IH]; [exists O; split; [lia|lra]|].
destruct (Rle_dec y (fx p (cut (S m)))) as [s|s].
- destruct (IH s) as [q [hq hy]]. exists q; split; [lia|easy].
- exists (S m); split; [lia|lra].
Qed.
