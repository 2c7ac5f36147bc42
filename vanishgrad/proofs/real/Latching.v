(* T3 (b) and (c): robust memory and a lasting gradient exclude each other.

   Let o_t = M_t (o_{t-1}) be an orbit of any recurrent map on R^n (an RNN, an LSTM, a GRU with its
   inputs), and let |.| be a weighted max-norm.

   (b) If M_t contracts by lam around it, that is, |M_t a - o_t| <= lam |a - o_{t-1}| for all a within r
       of o_{t-1}, then
       - T3b_noise_immunity: any run with noise |u_t| <= (1 - lam) r that starts within r of the orbit
         stays within r of it for ever; and
       - T3b_gradient: the state at T moves at most lam^T as fast as the initial state.
   (c) T3c_latching: conversely, suppose that for every rho <= r the tube of radius rho around the orbit
       survives all noise up to beta rho.  Then M_t contracts by 1 - beta, so that the gradient over T
       steps is at most (1 - beta)^T <= e^(- beta T): robust latching implies vanishing.
   (d) One region that survives noise is not enough.  Let m = tanh 0.2 - 0.1 >= 0.0973.
       a_t = tanh (2 a_{t-1}) + u_t stays in [0.1, 1.2] under all noise |u_t| <= m, and yet the constant
       noise - m keeps the state at 0.1, where its gradient grows like 1.9^T (T3d_same_noise). *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars MaxNorm Exponential.
Local Open Scope R_scope.

(* Near e, a differentiable function moves hardly faster than its derivative says. *)
Lemma derive_near (f : R -> R) e a eps : is_derive f e a -> 0 < eps ->
  locally e (fun y => Rabs (f y - f e - a * (y - e)) <= eps * Rabs (y - e)).
Proof.
intros [_ h] eps0; generalize (h e (fun P HP => HP) (mkposreal eps eps0)).
apply filter_imp; intros y; unfold minus, plus, opp, scal; simpl; unfold mult; simpl.
unfold norm; simpl; unfold abs; simpl; intros b.
now replace (f y - f e - a * (y - e)) with (f y + - f e + - ((y + - e) * a)) by ring.
Qed.

(* ... and a bound on how fast it moves near e bounds its derivative. *)
Lemma derive_le (f : R -> R) e a K : is_derive f e a ->
  locally e (fun y => Rabs (f y - f e) <= K * Rabs (y - e)) -> Rabs a <= K.
Proof.
intros hf hK; apply Rnot_lt_le; intros lt.
assert (eps0 : 0 < (Rabs a - K) / 2) by lra.
destruct (filter_and _ _ (derive_near f e a _ hf eps0) hK) as (del & near).
pose proof (cond_pos del) as d0; set (y := e + del / 2).
assert (dy : y - e = del / 2) by (unfold y; ring).
assert (by_ : ball e del y).
{ change (Rabs (y - e) < del); rewrite dy, Rabs_pos_eq; lra. }
destruct (near y by_) as [h1 h2].
rewrite dy, (Rabs_pos_eq (del / 2)) in * by lra.
pose proof (Rabs_triang_inv (a * (del / 2)) (f y - f e)) as tri.
rewrite Rabs_mult, (Rabs_pos_eq (del / 2)), (Rabs_minus_sym (a * _)) in tri by lra; nra.
Qed.

(* The same two facts for a curve in the norm. *)
Lemma velocity_near n x (c : R -> vec) e v eps : (forall i, 0 < x i) -> velocity c e v -> 0 < eps ->
  locally e (fun y => norm n x (fun i => c y i - c e i) <= (norm n x v + eps) * Rabs (y - e)).
Proof.
intros x0 hv eps0.
assert (each : forall m, locally e (fun y => forall i, (i < m)%nat ->
  Rabs (c y i - c e i - v i * (y - e)) <= eps * x i * Rabs (y - e))).
{ induction m as [|m IH]; [apply filter_forall; intros; lia|].
  assert (em : 0 < eps * x m) by (apply Rmult_lt_0_compat; auto).
  generalize (filter_and _ _ IH (derive_near _ e (v m) _ (hv m) em)).
  apply filter_imp; intros y [h hm] i hi.
  destruct (Nat.eq_dec i m) as [->|ne]; [exact hm|apply h; lia]. }
generalize (each n); apply filter_imp; intros y h.
pose proof (norm_ge0 (x:=x) n v); pose proof (Rabs_pos (y - e)).
apply norm_le; [easy|nra|]; intros i hi.
pose proof (h i hi) as hh; pose proof (le_norm x0 n v i hi).
pose proof (Rabs_triang (c y i - c e i - v i * (y - e)) (v i * (y - e))) as tri.
rewrite Rabs_mult in tri; ring_simplify (c y i - c e i - v i * (y - e) + v i * (y - e)) in tri; nra.
Qed.

Section Orbit.
Variables (n : nat) (x : vec) (M : nat -> vec -> vec).
Hypothesis x_pos : forall i, 0 < x i.

Definition dist (a b : vec) := norm n x (fun i => a i - b i).

Fixpoint orbit T (a : vec) : vec := match T with O => a | S t => M T (orbit t a) end.

(* the same with noise u_t added after each step *)
Fixpoint noisy (u : nat -> vec) T (a : vec) : vec :=
  match T with O => a | S t => fun i => M T (noisy u t a) i + u T i end.

Lemma dist_ge0 a b : 0 <= dist a b.
Proof. apply norm_ge0. Qed.

Definition contracts lam r a0 := forall t a, dist a (orbit t a0) <= r ->
  dist (M (S t) a) (orbit (S t) a0) <= lam * dist a (orbit t a0).

(* every tube around the orbit of radius rho <= r survives all noise up to beta rho *)
Definition latches beta r a0 := forall t rho a u, 0 < rho <= r ->
  dist a (orbit t a0) <= rho -> norm n x u <= beta * rho ->
  dist (fun i => M (S t) a i + u i) (orbit (S t) a0) <= rho.

Section Contraction.
Variables (lam r : R) (a0 : vec).
Hypothesis lam_range : 0 <= lam <= 1.
Hypothesis r_pos : 0 < r.
Hypothesis contraction : contracts lam r a0.

Theorem T3b_noise_immunity u a : (forall t, norm n x (u t) <= (1 - lam) * r) -> dist a a0 <= r ->
  forall T, dist (noisy u T a) (orbit T a0) <= r.
Proof.
intros small start; induction T as [|T IH]; [exact start|].
pose proof (contraction T _ IH) as step; pose proof (small (S T)).
pose proof (dist_ge0 (noisy u T a) (orbit T a0)).
pose proof (norm_add x_pos n (fun i => M (S T) (noisy u T a) i - orbit (S T) a0 i) (u (S T))) as sum.
unfold dist in *; simpl noisy in *.
rewrite (norm_ext x_pos n _ (fun i => M (S T) (noisy u T a) i + u (S T) i - orbit (S T) a0 i))
  in sum by (intros; ring); nra.
Qed.

Lemma contracts_orbit a : dist a a0 <= r -> forall T,
  dist (orbit T a) (orbit T a0) <= lam ^ T * dist a a0.
Proof.
intros near; induction T as [|T IH]; [simpl; lra|].
pose proof (dist_ge0 a a0); pose proof (pow_in01 lam T lam_range).
simpl orbit at 1; eapply Rle_trans; [apply contraction; nra|].
rewrite <- tech_pow_Rmult, Rmult_assoc; now apply Rmult_le_compat_l.
Qed.

Theorem T3b_gradient (c : R -> vec) e v T d : c e = a0 -> velocity c e v ->
  velocity (fun y => orbit T (c y)) e d -> norm n x d <= lam ^ T * norm n x v.
Proof.
intros start hv hd; pose proof (pow_in01 lam T lam_range) as l01.
assert (K0 := norm_ge0 (x:=x) n v).
assert (bound : forall eps, 0 < eps -> norm n x d <= lam ^ T * (norm n x v + eps)).
{ intros eps eps0; apply norm_le; [easy|nra|]; intros i hi.
  apply (derive_le _ _ _ _ (hd i)).
  pose proof (velocity_near n x c e v eps x_pos hv eps0) as near.
  assert (r' : 0 < r / (norm n x v + eps)) by (apply Rdiv_lt_0_compat; lra).
  assert (close : locally e (fun y => Rabs (y - e) < r / (norm n x v + eps))).
  { now exists (mkposreal _ r'). }
  generalize (filter_and _ _ near close); apply filter_imp; intros y [h1 h2].
  rewrite start in *; fold (dist (c y) a0) in h1.
  assert (in_r : dist (c y) a0 <= r).
  { eapply Rle_trans; [exact h1|].
    replace r with ((norm n x v + eps) * (r / (norm n x v + eps))) by (field; lra).
    apply Rmult_le_compat_l; lra. }
  pose proof (contracts_orbit (c y) in_r T) as step.
  pose proof (le_norm x_pos n (fun j => orbit T (c y) j - orbit T a0 j) i hi) as coord; simpl in coord.
  fold (dist (orbit T (c y)) (orbit T a0)) in coord.
  pose proof (x_pos i); pose proof (Rabs_pos (y - e)); pose proof (dist_ge0 (c y) a0).
  eapply Rle_trans; [exact coord|].
  replace (lam ^ T * (norm n x v + eps) * x i * Rabs (y - e))
    with (lam ^ T * ((norm n x v + eps) * Rabs (y - e)) * x i) by ring.
  apply Rmult_le_compat_r; [lra|]; eapply Rle_trans; [exact step|].
  now apply Rmult_le_compat_l. }
apply le_epsilon; intros eps eps0; pose proof (bound eps eps0); nra.
Qed.
End Contraction.

Section Latching.
Variables (beta r : R) (a0 : vec).
Hypothesis beta_range : 0 <= beta <= 1.
Hypothesis r_pos : 0 < r.
Hypothesis robust : latches beta r a0.

(* Noise may push outwards: then |w| + beta rho <= rho. *)
Lemma latches_step t a rho : 0 < rho <= r -> dist a (orbit t a0) <= rho ->
  dist (M (S t) a) (orbit (S t) a0) <= (1 - beta) * rho.
Proof.
intros hr near; set (w := fun i => M (S t) a i - orbit (S t) a0 i).
change (norm n x w <= (1 - beta) * rho); assert (w0 := norm_ge0 (x:=x) n w).
destruct w0 as [w0|w0]; [|rewrite <- w0; apply Rmult_le_pos; lra].
assert (push0 : 0 <= beta * rho / norm n x w).
{ apply Rmult_le_pos; [nra|left; now apply Rinv_0_lt_compat]. }
assert (push : norm n x (fun i => beta * rho / norm n x w * w i) = beta * rho).
{ rewrite norm_scal by easy; field; lra. }
assert (tube := robust t rho a _ hr near (Req_le _ _ push)); unfold dist in tube.
rewrite (norm_ext x_pos n _ (fun i => (1 + beta * rho / norm n x w) * w i)) in tube
  by (intros; unfold w; ring).
rewrite norm_scal in tube by (easy || lra).
replace ((1 + beta * rho / norm n x w) * norm n x w) with (norm n x w + beta * rho) in tube
  by (field; lra); lra.
Qed.

Theorem T3c_contracts : contracts (1 - beta) r a0.
Proof.
intros t a near; destruct (dist_ge0 a (orbit t a0)) as [pos|zero].
- apply latches_step; lra.
- rewrite <- zero, Rmult_0_r; apply le_epsilon; intros eps eps0; rewrite Rplus_0_l.
  assert (m : 0 < Rmin eps r) by now apply Rmin_pos.
  pose proof (Rmin_l eps r); pose proof (Rmin_r eps r).
  eapply Rle_trans; [apply (latches_step t a (Rmin eps r)); lra|nra].
Qed.

Theorem T3c_latching (c : R -> vec) e v T d : c e = a0 -> velocity c e v ->
  velocity (fun y => orbit T (c y)) e d ->
  norm n x d <= (1 - beta) ^ T * norm n x v <= exp (- (beta * INR T)) * norm n x v.
Proof.
intros start hv hd; split.
- apply (T3b_gradient (1 - beta) r a0) with c e; try easy; [lra|apply T3c_contracts].
- apply Rmult_le_compat_r; [apply norm_ge0|].
  replace (- (beta * INR T)) with (INR T * - beta) by ring; apply growth_le_exp; lra.
Qed.
End Latching.
End Orbit.

Lemma tanh_fifth : 0.1973 <= tanh (1 / 5) <= 0.1975.
Proof.
rewrite tanh_sigma, sigma_tau; replace (2 * (1 / 5)) with (2 / 5) by field.
destruct (exp_taylor (2 / 5)) as [lo hi]; [lra|]; unfold taylor5 in *.
assert (/ (1 + exp (2 / 5)) <= / (1 + 1.4918)) by (apply Rinv_le_contravar; lra).
assert (/ (1 + 1.49183) <= / (1 + exp (2 / 5))) by (apply Rinv_le_contravar; lra).
lra.
Qed.

Definition pushed u : nat -> vec -> vec := fun _ a i => tanh (2 * a i) + u.

Theorem T3d_region_survives a u : 0.1 <= a <= 1.2 -> Rabs u <= 0.0973 -> 0.1 <= tanh (2 * a) + u <= 1.2.
Proof.
intros ha hu; apply Rabs_le_between in hu; pose proof tanh_fifth.
pose proof (tanh_le (1 / 5) (2 * a)); pose proof (tanh_range (2 * a)); lra.
Qed.

Theorem T3d_one_region T : let u := 0.1 - tanh (2 * 0.1) in
  Rabs u <= 0.0975 /\
  exists d, is_derive (fun y => orbit (pushed u) T (fun _ => y) 0%nat) 0.1 d /\ 1.9 ^ T <= d.
Proof.
intros u; assert (fifth : tanh (2 * 0.1) = tanh (1 / 5)) by (f_equal; lra).
destruct tanh_fifth as [lo hi]; split; [apply Rabs_le; unfold u; lra|].
set (slope := (1 - tanh (2 * 0.1) ^ 2) * 2).
assert (steep : 1.9 <= slope) by (unfold slope; rewrite fifth; nra).
exists (slope ^ T); split; [|apply pow_incr; lra].
assert (fixed : forall t, orbit (pushed u) t (fun _ => 0.1) 0%nat = 0.1).
{ induction t as [|t IH]; [easy|].
  change (tanh (2 * orbit (pushed u) t (fun _ => 0.1) 0%nat) + u = 0.1); rewrite IH; unfold u; ring. }
induction T as [|T IH]; [exact (is_derive_id (K:=R_AbsRing) 0.1)|].
change (is_derive (fun y => tanh (2 * orbit (pushed u) T (fun _ => y) 0%nat) + u) 0.1 (slope * slope ^ T)).
rewrite <- (Rplus_0_r (slope * _)); apply derive_add; [|apply derive_const].
unfold slope at 1; rewrite Rmult_assoc.
apply (derive_comp tanh (fun y => 2 * orbit (pushed u) T (fun _ => y) 0%nat)).
- rewrite fixed; apply is_derive_tanh.
- now apply derive_scal.
Qed.

(* (d) with one noise: the region survives all noise up to m, and the noise - m holds the state at 0.1. *)
Theorem T3d_same_noise (m := tanh (2 * 0.1) - 0.1) :
  0.0973 <= m /\
  (forall a u, 0.1 <= a <= 1.2 -> Rabs u <= m -> 0.1 <= tanh (2 * a) + u <= 1.2) /\
  forall T, exists d, is_derive (fun y => orbit (pushed (- m)) T (fun _ => y) 0%nat) 0.1 d /\ 1.9 ^ T <= d.
Proof.
assert (fifth : tanh (2 * 0.1) = tanh (1 / 5)) by (f_equal; lra).
destruct tanh_fifth as [lo hi]; split; [unfold m; lra|split].
- intros a u ha hu; apply Rabs_le_between in hu; unfold m in hu.
  pose proof (tanh_le (2 * 0.1) (2 * a)); pose proof (tanh_range (2 * a)); lra.
- intros T; destruct (T3d_one_region T) as [_ h].
  replace (- m) with (0.1 - tanh (2 * 0.1)) by (unfold m; ring); exact h.
Qed.
