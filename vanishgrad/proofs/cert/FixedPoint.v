(** Upper and lower bounds of the logistic function and of tanh in fixed point, by integers alone.

    [fx p z] is z / 2^p. The exponential is bounded from below by (1 + y / 2^s)^(2^s), which s squarings make, each
    rounded down; every bound of sigma and of tanh follows from that one. *)
From Coq Require Import Reals Lra Lia ZArith.
From VG.cert Require Import Integers Activations.
Local Open Scope R_scope.

Definition fx (p : nat) (z : Z) := IZR z / 2 ^ p.

(** The quotient rounded up. *)
Definition cdiv (a b : Z) : Z := (- (- a / b))%Z.

Lemma fx_le p a b : (a <= b)%Z -> fx p a <= fx p b.
Proof.
intros h. apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, pow2_pos|]. now apply IZR_le.
Qed.

Lemma fx_plus p a b : fx p (a + b) = fx p a + fx p b.
Proof. unfold fx. rewrite plus_IZR. pose proof (pow2_pos p). field; lra. Qed.

Lemma fx_minus p a b : fx p (a - b) = fx p a - fx p b.
Proof. unfold fx. rewrite minus_IZR. pose proof (pow2_pos p). field; lra. Qed.

Lemma fx_opp p a : fx p (- a) = - fx p a.
Proof. unfold fx. rewrite opp_IZR. pose proof (pow2_pos p). field; lra. Qed.

Lemma fx_one p : fx p (2 ^ Z.of_nat p) = 1.
Proof. unfold fx. rewrite <- pow_IZR_nat. pose proof (pow2_pos p). field; lra. Qed.

Lemma fx_max p a b : fx p (Z.max a b) = Rmax (fx p a) (fx p b).
Proof.
destruct (Z.max_spec a b) as [[h ->]|[h ->]].
- rewrite Rmax_right; [easy|]. apply fx_le; lia.
- rewrite Rmax_left; [easy|]. now apply fx_le.
Qed.

Lemma floor_le a q : IZR (a / 2 ^ Z.of_nat q) <= IZR a / 2 ^ q.
Proof.
pose proof (pow2_pos q) as h. apply (Rmult_le_reg_l (2 ^ q)); [easy|].
replace (2 ^ q * (IZR a / 2 ^ q)) with (IZR a) by (field; lra).
rewrite pow_IZR_nat, <- mult_IZR. apply IZR_le, Z.mul_div_le, Z.pow_pos_nonneg; lia.
Qed.

Lemma cdiv_ge a q : IZR a / 2 ^ q <= IZR (cdiv a (2 ^ Z.of_nat q)).
Proof.
unfold cdiv. rewrite opp_IZR. pose proof (floor_le (- a) q) as h. rewrite opp_IZR in h.
unfold Rdiv in *. lra.
Qed.

(** * exp y >= fx (low y) *)
Section Bounds.
Variables (p s q : nat).
Let P := (p + s + q)%nat.

Fixpoint squared (m : nat) (t : Z) : Z :=
  match m with O => t | S m' => squared m' (t * t / 2 ^ Z.of_nat P)%Z end.

Definition exp_low (y : Z) : Z := squared s (Z.max 0 (2 ^ Z.of_nat P + y * 2 ^ Z.of_nat q))%Z.

Lemma squared_low m x t : (0 <= t)%Z -> fx P t <= exp x -> 0 <= fx P (squared m t) <= exp (2 ^ m * x).
Proof.
revert x t; induction m as [|m IH]; intros x t t0 h.
- simpl squared. rewrite pow_O, Rmult_1_l. split; [|easy].
  apply Rmult_le_pos; [now apply IZR_le|apply Rlt_le, Rinv_0_lt_compat, pow2_pos].
- simpl squared. replace (2 ^ S m * x) with (2 ^ m * (x + x)) by (simpl; ring). apply IH.
  + apply Z.div_pos; [nia|apply Z.pow_pos_nonneg; lia].
  + rewrite exp_plus. apply Rle_trans with (fx P t * fx P t).
    * unfold fx. pose proof (pow2_pos P) as pp. pose proof (floor_le (t * t) P) as f. rewrite mult_IZR in f.
      replace (IZR t / 2 ^ P * (IZR t / 2 ^ P)) with (IZR t * IZR t / 2 ^ P / 2 ^ P) by (field; lra).
      apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy].
    * assert (0 <= fx P t)
        by (apply Rmult_le_pos; [now apply IZR_le|apply Rlt_le, Rinv_0_lt_compat, pow2_pos]).
      now apply Rmult_le_compat.
Qed.

Lemma exp_low_le y : 0 <= fx P (exp_low y) <= exp (fx p y).
Proof.
pose proof (pow2_pos s) as hs.
replace (fx p y) with (2 ^ s * (fx p y / 2 ^ s)) by (field; lra).
apply squared_low; [lia|]. rewrite fx_max.
assert (e : fx P (2 ^ Z.of_nat P + y * 2 ^ Z.of_nat q) = 1 + fx p y / 2 ^ s).
{ rewrite fx_plus, fx_one. f_equal. unfold fx. rewrite mult_IZR, <- pow_IZR_nat. unfold P. rewrite !pow_add.
  pose proof (pow2_pos p); pose proof (pow2_pos q). field; lra. }
rewrite e. apply Rmax_lub; [unfold fx, Rdiv; rewrite Rmult_0_l; apply Rlt_le, exp_pos|apply exp_ineq1_le].
Qed.

Definition sigma_high (a : Z) : Z := cdiv (2 ^ Z.of_nat (p + P)) (2 ^ Z.of_nat P + exp_low (- a)).
Definition sigma_low (a : Z) : Z := (2 ^ Z.of_nat p - sigma_high (- a))%Z.
Definition tanh_high (a : Z) : Z := (2 * sigma_high (2 * a) - 2 ^ Z.of_nat p)%Z.
Definition tanh_low (a : Z) : Z := (2 * sigma_low (2 * a) - 2 ^ Z.of_nat p)%Z.

Lemma cdiv_above a b : (0 < b)%Z -> IZR a <= IZR (cdiv a b) * IZR b.
Proof.
intros h. unfold cdiv. rewrite <- mult_IZR. apply IZR_le.
pose proof (Z.mul_div_le (- a) b h). nia.
Qed.

Lemma sigma_high_ge a x : x <= fx p a -> sigma x <= fx p (sigma_high a).
Proof.
intros h. apply Rle_trans with (1 := sigma_increasing _ _ h).
destruct (exp_low_le (- a)) as [E0 E]. rewrite fx_opp in E. unfold sigma.
set (z := exp_low (- a)) in *.
assert (pP := pow2_pos P). assert (pp := pow2_pos p).
assert (z0 : (0 <= z)%Z).
{ apply le_IZR. apply (Rmult_le_reg_r (/ 2 ^ P)); [now apply Rinv_0_lt_compat|]. rewrite Rmult_0_l. exact E0. }
assert (D : (0 < 2 ^ Z.of_nat P + z)%Z) by (pose proof (Z.pow_pos_nonneg 2 (Z.of_nat P)); lia).
pose proof (cdiv_above (2 ^ Z.of_nat (p + P)) _ D) as C. fold z in C.
unfold sigma_high. fold z. set (w := cdiv _ _) in *.
rewrite plus_IZR, <- !pow_IZR_nat, pow_add in C.
assert (DR : 0 < 1 + fx P z) by lra.
apply Rle_trans with (/ (1 + fx P z)); [apply Rinv_le_contravar; lra|].
apply (Rmult_le_reg_r (1 + fx P z)); [easy|]. rewrite Rinv_l by lra.
unfold fx in *. apply (Rmult_le_reg_r (2 ^ p * 2 ^ P)); [now apply Rmult_lt_0_compat|].
replace (IZR w / 2 ^ p * (1 + IZR z / 2 ^ P) * (2 ^ p * 2 ^ P)) with (IZR w * (2 ^ P + IZR z)) by (field; lra).
lra.
Qed.

Lemma sigma_low_le a x : fx p a <= x -> fx p (sigma_low a) <= sigma x.
Proof.
intros h. unfold sigma_low. rewrite fx_minus, fx_one.
pose proof (sigma_high_ge (- a) (- x)) as b. rewrite fx_opp, sigma_opp in b. lra.
Qed.

Lemma fx_double a : fx p (2 * a) = 2 * fx p a.
Proof. unfold fx. rewrite mult_IZR. field. pose proof (pow2_pos p); lra. Qed.

Lemma tanh_high_ge a x : x <= fx p a -> tanh x <= fx p (tanh_high a).
Proof.
intros h. unfold tanh_high. rewrite tanh_sigma, fx_minus, fx_one, fx_double.
pose proof (sigma_high_ge (2 * a) (2 * x)) as b. rewrite fx_double in b. lra.
Qed.

Lemma tanh_low_le a x : fx p a <= x -> fx p (tanh_low a) <= tanh x.
Proof.
intros h. unfold tanh_low. rewrite tanh_sigma, fx_minus, fx_one, fx_double.
pose proof (sigma_low_le (2 * a) (2 * x)) as b. rewrite fx_double in b. lra.
Qed.

(** * Products, and the largest value of s x + (1 - s) k + s (1 - s) G over a range of s *)

Definition times (a b : Z) : Z := cdiv (a * b) (2 ^ Z.of_nat p).

Lemma times_ge a b x y : 0 <= x -> 0 <= y -> x <= fx p a -> y <= fx p b -> x * y <= fx p (times a b).
Proof.
intros x0 y0 hx hy. apply Rle_trans with (fx p a * fx p b); [now apply Rmult_le_compat|].
unfold fx, times. pose proof (pow2_pos p). pose proof (cdiv_ge (a * b) p) as c. rewrite mult_IZR in c.
replace (IZR a / 2 ^ p * (IZR b / 2 ^ p)) with (IZR a * IZR b / 2 ^ p / 2 ^ p) by (field; lra).
apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy].
Qed.

(** A factor of a range, not negative, times what is at most y. *)
Definition upto_times (lo hi y : Z) : Z := Z.max (times lo y) (times hi y).

Lemma upto_times_ge lo hi y v t : 0 <= v -> fx p lo <= v <= fx p hi -> t <= fx p y -> v * t <= fx p (upto_times lo hi y).
Proof.
intros v0 hv ht. apply Rle_trans with (v * fx p y); [now apply Rmult_le_compat_l|].
assert (product : forall a, fx p a * fx p y <= fx p (times a y)).
{ intros a. unfold fx, times. pose proof (pow2_pos p). pose proof (cdiv_ge (a * y) p) as c. rewrite mult_IZR in c.
  replace (IZR a / 2 ^ p * (IZR y / 2 ^ p)) with (IZR a * IZR y / 2 ^ p / 2 ^ p) by (field; lra).
  apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy]. }
unfold upto_times. rewrite fx_max. destruct (Rle_dec 0 (fx p y)).
- apply Rle_trans with (2 := Rmax_r _ _). apply Rle_trans with (2 := product hi). apply Rmult_le_compat_r; lra.
- apply Rle_trans with (2 := Rmax_l _ _). apply Rle_trans with (2 := product lo). nra.
Qed.

(** By the tangent of s (1 - s) at t, any t: linear in s, so largest at an end. *)
Definition tangent_at (x k G t v : Z) : Z :=
  let one := (2 ^ Z.of_nat p)%Z in
  cdiv (G * (t * t) + one * one * k + v * (one * (x - k) + G * (one - 2 * t))) (2 ^ Z.of_nat (p + p)).

Definition vertex (lo hi x k G : Z) : Z :=
  Z.max lo (Z.min hi (if G =? 0 then hi else (2 ^ Z.of_nat p * (x - k + G)) / (2 * G)))%Z.

Definition peak (lo hi x k G : Z) : Z :=
  let t := vertex lo hi x k G in Z.max (tangent_at x k G t lo) (tangent_at x k G t hi).

Lemma tangent_at_ge x k G t v : fx p v * fx p x + (1 - fx p v) * fx p k
    + (fx p t ^ 2 + (1 - 2 * fx p t) * fx p v) * fx p G <= fx p (tangent_at x k G t v).
Proof.
unfold tangent_at, fx. pose proof (pow2_pos p) as pp.
set (N := (_ + _)%Z). pose proof (cdiv_ge N (p + p)) as c. set (w := cdiv _ _) in *. rewrite pow_add in c.
assert (e : IZR N = IZR G * (IZR t * IZR t) + 2 ^ p * 2 ^ p * IZR k
    + IZR v * (2 ^ p * (IZR x - IZR k) + IZR G * (2 ^ p - 2 * IZR t)))
  by (unfold N; rewrite !plus_IZR, !mult_IZR, plus_IZR, !mult_IZR, !minus_IZR, mult_IZR, <- pow_IZR_nat; easy).
apply (Rmult_le_reg_r (2 ^ p)); [easy|]. replace (IZR w / 2 ^ p * 2 ^ p) with (IZR w) by (field; lra).
eapply Rle_trans; [right|exact c]. rewrite e. field; lra.
Qed.

Lemma peak_ge lo hi x k G v x' k' G' : 0 <= v <= 1 -> fx p lo <= v <= fx p hi -> 0 <= G' ->
  x' <= fx p x -> k' <= fx p k -> G' <= fx p G ->
  v * x' + (1 - v) * k' + v * (1 - v) * G' <= fx p (peak lo hi x k G).
Proof.
intros s01 [hl hh] G0 hx hk hG. unfold peak. set (t := vertex lo hi x k G).
set (line := fun v => v * fx p x + (1 - v) * fx p k + (fx p t ^ 2 + (1 - 2 * fx p t) * v) * fx p G).
assert (below : v * x' + (1 - v) * k' + v * (1 - v) * G' <= line v).
{ unfold line. pose proof (pow2_ge_0 (v - fx p t)).
  assert (v * x' <= v * fx p x) by (apply Rmult_le_compat_l; lra).
  assert ((1 - v) * k' <= (1 - v) * fx p k) by (apply Rmult_le_compat_l; lra).
  assert (0 <= v * (1 - v)) by nra.
  assert (v * (1 - v) * G' <= v * (1 - v) * fx p G) by (apply Rmult_le_compat_l; lra).
  assert (v * (1 - v) * fx p G <= (fx p t ^ 2 + (1 - 2 * fx p t) * v) * fx p G)
    by (apply Rmult_le_compat_r; [lra|nra]). lra. }
apply Rle_trans with (1 := below). rewrite fx_max.
pose proof (tangent_at_ge x k G t lo) as el. pose proof (tangent_at_ge x k G t hi) as eh.
change (line (fx p lo) <= fx p (tangent_at x k G t lo)) in el.
change (line (fx p hi) <= fx p (tangent_at x k G t hi)) in eh.
set (slope := fx p x - fx p k + (1 - 2 * fx p t) * fx p G).
assert (affine : forall a b, line a - line b = slope * (a - b)) by (intros; unfold line, slope; ring).
pose proof (Rmax_l (fx p (tangent_at x k G t lo)) (fx p (tangent_at x k G t hi))).
pose proof (Rmax_r (fx p (tangent_at x k G t lo)) (fx p (tangent_at x k G t hi))).
destruct (Rle_dec 0 slope).
- specialize (affine (fx p hi) v). assert (0 <= slope * (fx p hi - v)) by (apply Rmult_le_pos; lra). lra.
- specialize (affine v (fx p lo)). assert (slope * (v - fx p lo) <= 0) by nra. lra.
Qed.
End Bounds.

Section Scaled.
Variable p : nat.

Lemma fx_zero : fx p 0 = 0.
Proof. unfold fx, Rdiv; apply Rmult_0_l. Qed.

Lemma fx_whole z : fx p (2 ^ Z.of_nat p * z) = IZR z.
Proof. unfold fx. rewrite mult_IZR, <- pow_IZR_nat. pose proof (pow2_pos p). field; lra. Qed.

(** A gate s, whatever it multiplies with size at most K times what [peak] was told. *)
Lemma gated K lo hi x k G v u t y X Y A : 0 <= K -> 0 <= v <= 1 -> fx p lo <= v <= fx p hi ->
  Rabs u <= K * X -> X <= fx p x -> Rabs t <= K * Y -> Y <= fx p k -> Rabs y <= K * A -> 0 <= A -> A <= fx p G ->
  Rabs (v * u + (1 - v) * t + v * (1 - v) * y) <= K * fx p (peak p lo hi x k G).
Proof.
intros K0 v01 hv hu hX ht hY hy A0 hA.
apply Rle_trans with (v * (K * X) + (1 - v) * (K * Y) + v * (1 - v) * (K * A)).
- assert (0 <= v * (1 - v)) by nra.
  eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat.
  + eapply Rle_trans; [apply Rabs_triang|].
    rewrite !Rabs_mult, (Rabs_pos_eq v), (Rabs_pos_eq (1 - v)) by lra.
    apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
  + rewrite Rabs_mult, (Rabs_pos_eq (v * (1 - v))) by easy. now apply Rmult_le_compat_l.
- replace (v * (K * X) + (1 - v) * (K * Y) + v * (1 - v) * (K * A))
    with (K * (v * X + (1 - v) * Y + v * (1 - v) * A)) by ring.
  apply Rmult_le_compat_l; [easy|]. now apply peak_ge.
Qed.
End Scaled.
