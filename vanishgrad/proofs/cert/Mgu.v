(** The minimal gated unit over the reals, in all its conventions, and a certificate that its Jacobian product vanishes
    for all bounded inputs.

    Rows of U, V, b: those of the one gate f; N, VN, bN and bh are the candidate's W_hn, W_hx, b and b_hn. It is a GRU
    whose gates read the same rows: r = f, and z = f or 1 - f = sigma of the negative rows. Without a reset the
    candidate is half of its double, and sigma 0 = 1/2 is a gate of zero rows. *)
From Coq Require Import Reals Lra Lia List ZArith Bool.
From VG.cert Require Import Sums Activations Integers Gates Norms Recurrence Gru.
Local Open Scope bool_scope.
Local Open Scope R_scope.

Section Rows.
Variables (n d k : nat).

Lemma zn_opp a i : zn (map Z.opp a) i = - zn a i.
Proof. unfold zn. rewrite <- opp_IZR. f_equal. now rewrite <- (map_nth Z.opp). Qed.

Lemma zn_double a i : zn (map (Z.mul 2) a) i = 2 * zn a i.
Proof.
unfold zn. rewrite <- mult_IZR. f_equal. change 0%Z with (2 * 0)%Z at 1. now rewrite (map_nth (Z.mul 2)).
Qed.

Lemma of_rows_opp rows i j : of_rows k (map (map Z.opp) rows) i j = - of_rows k rows i j.
Proof.
unfold of_rows. change (@nil Z) with (map Z.opp nil) at 1. rewrite (map_nth (map Z.opp)), zn_opp.
pose proof (pow2_pos k). field; lra.
Qed.

Lemma of_rows_double rows i j : of_rows k (map (map (Z.mul 2)) rows) i j = 2 * of_rows k rows i j.
Proof.
unfold of_rows. change (@nil Z) with (map (Z.mul 2) nil) at 1. rewrite (map_nth (map (Z.mul 2))), zn_double.
pose proof (pow2_pos k). field; lra.
Qed.

Lemma of_no_rows i j : of_rows k nil i j = 0.
Proof. unfold of_rows. replace (nth i (@nil (list Z)) nil) with (@nil Z) by now destruct i. rewrite zn_nil. unfold Rdiv; ring. Qed.

Lemma affine_ext W V b x h g a : (forall l, (l < n)%nat -> h l = g l) ->
  affine n d k W V b x h a = affine n d k W V b x g a.
Proof. intros E. unfold affine. do 2 f_equal. apply sumR_ext. intros l hl. now rewrite E. Qed.

Lemma affine_opp W V b x h a :
  affine n d k (map (map Z.opp) W) (map (map Z.opp) V) (map Z.opp b) x h a = - affine n d k W V b x h a.
Proof.
unfold affine. rewrite zn_opp.
rewrite (sumR_ext n _ (fun l => -1 * (of_rows k W a l * h l))) by (intros; rewrite of_rows_opp; ring).
rewrite (sumR_ext d _ (fun l => -1 * (of_rows k V a l * x l))) by (intros; rewrite of_rows_opp; ring).
rewrite !sumR_scal. pose proof (pow2_pos k). field; lra.
Qed.

Lemma affine_double W b x h a :
  affine n d k (map (map (Z.mul 2)) W) nil (map (Z.mul 2) b) x h a = 2 * affine n d k W nil b x h a.
Proof.
unfold affine. rewrite zn_double.
rewrite (sumR_ext n _ (fun l => 2 * (of_rows k W a l * h l))) by (intros; rewrite of_rows_double; ring).
rewrite (sumR_zero d) by (intros; rewrite of_no_rows; ring). rewrite sumR_scal.
pose proof (pow2_pos k). field; lra.
Qed.

Lemma affine_first W W' V V' b b' x h a : (a < length W)%nat -> length V = length W -> length b = length W ->
  affine n d k (W ++ W') (V ++ V') (b ++ b') x h a = affine n d k W V b x h a.
Proof. intros hW hV hb. unfold affine, of_rows, zn. rewrite !app_nth1 by lia. reflexivity. Qed.

Lemma affine_second W W' V V' b b' x h a : length V = length W -> length b = length W ->
  affine n d k (W ++ W') (V ++ V') (b ++ b') x h (length W + a) = affine n d k W' V' b' x h a.
Proof.
intros hV hb. unfold affine, of_rows, zn. rewrite !app_nth2 by lia.
now replace (length W + a - length W)%nat with a by lia;
  replace (length W + a - length V)%nat with a by lia; replace (length W + a - length b)%nat with a by lia.
Qed.

Lemma affine_zero x h a m : affine n d k (repeat nil m) (repeat nil m) (repeat 0%Z m) x h a = 0.
Proof.
unfold affine, of_rows, zn. rewrite !nth_repeat.
rewrite (sumR_zero n), (sumR_zero d) by (intros j _; destruct j; unfold Rdiv; simpl; ring). unfold Rdiv; ring.
Qed.
End Rows.

Lemma sigma_zero : sigma 0 = / 2.
Proof. unfold sigma. rewrite Ropp_0, exp_0. f_equal; lra. Qed.

(** What the gate resets: nothing, W_hn h (after), or h (before); [keeps] where f multiplies the old state. *)
Section Step.
Variables (resets after keeps : bool) (n d k : nat) (U N V VN : list (list Z)) (b bN bh : list Z).

Definition mgu_gate x s j := sigma (affine n d k U V b x s j).
Definition mgu_drive x s j :=
  affine n d k nil VN bN x s j +
  (if resets then if after then mgu_gate x s j * affine n d k N nil bh x s j
                  else affine n d k N nil bh x (fun l => mgu_gate x s l * s l) j
   else affine n d k N nil bh x s j).
Definition mgu_step (x s : nat -> R) (j : nat) : R :=
  if keeps then (1 - mgu_gate x s j) * tanh (mgu_drive x s j) + mgu_gate x s j * s j
  else mgu_gate x s j * tanh (mgu_drive x s j) + (1 - mgu_gate x s j) * s j.

(** The GRU's rows: those of r, then those of z. *)
Definition both {A} (zero : A) (negate : A -> A) (rows : list A) : list A :=
  (if resets then rows else repeat zero n) ++ (if keeps then rows else map negate rows).
Definition gate_rows := both nil (map Z.opp).
Definition gate_bias := both 0%Z Z.opp.
Definition inner_rows : list (list Z) := if resets then N else map (map (Z.mul 2)) N.
Definition inner_bias : list Z := if resets then bh else map (Z.mul 2) bh.
Definition multiplies_inner := if resets then after else true.

Definition equivalent_step :=
  gru_step multiplies_inner n d k (gate_rows U) inner_rows (gate_rows V) VN (gate_bias b) bN inner_bias.

Hypothesis U_rows : length U = n.
Hypothesis V_rows : length V = n.
Hypothesis b_rows : length b = n.

Lemma reset_is x s j : (j < n)%nat ->
  sigma (gate n d k (gate_rows U) (gate_rows V) (gate_bias b) x s j) = if resets then mgu_gate x s j else / 2.
Proof.
intros hj. unfold gate, gate_rows, gate_bias, both, mgu_gate. destruct resets.
- now rewrite affine_first by lia.
- rewrite affine_first by (rewrite ?repeat_length; lia). now rewrite affine_zero, sigma_zero.
Qed.

Lemma keep_is x s j :
  sigma (gate n d k (gate_rows U) (gate_rows V) (gate_bias b) x s (n + j))
  = if keeps then mgu_gate x s j else 1 - mgu_gate x s j.
Proof.
unfold gate, gate_rows, gate_bias, both, mgu_gate.
replace (n + j)%nat with (length (if resets then U else repeat nil n) + j)%nat
  by (destruct resets; rewrite ?repeat_length; lia).
rewrite affine_second by (destruct resets; rewrite ?repeat_length; lia).
destruct keeps; [reflexivity|]. now rewrite affine_opp, sigma_opp.
Qed.

Lemma gate_ext x s u j : (forall l, (l < n)%nat -> s l = u l) -> mgu_gate x s j = mgu_gate x u j.
Proof. intros E. unfold mgu_gate. f_equal. now apply affine_ext. Qed.

Lemma drive_is x s u j : (forall l, (l < n)%nat -> s l = u l) -> (j < n)%nat ->
  mgu_drive x s j = drive multiplies_inner n d k (gate_rows U) inner_rows (gate_rows V) VN (gate_bias b) bN inner_bias x u j.
Proof.
intros E hj. unfold mgu_drive, drive, outer, inner. f_equal; [now apply affine_ext|].
pose proof (reset_is x u) as r. unfold multiplies_inner, inner_rows, inner_bias. destruct resets.
- destruct after.
  + rewrite r by easy. f_equal; [now apply gate_ext|now apply affine_ext].
  + apply affine_ext. intros l hl. rewrite r by easy. rewrite E by easy. f_equal. now apply gate_ext.
- rewrite r by easy. rewrite affine_double. rewrite (affine_ext n d k N nil bh x s u) by easy. field.
Qed.

(** A step of the unit is a step of the GRU, from states that agree in the first n places. *)
Lemma step_is x s u : (forall l, (l < n)%nat -> s l = u l) ->
  forall j, (j < n)%nat -> mgu_step x s j = equivalent_step x u j.
Proof.
intros E j hj. unfold mgu_step, equivalent_step, gru_step. rewrite (keep_is x u j).
rewrite (drive_is x s u j E hj), (gate_ext x s u j E), (E j hj). destruct keeps; ring.
Qed.

Lemma evolve_is X t T s u : (forall l, (l < n)%nat -> s l = u l) ->
  forall j, (j < n)%nat -> evolve mgu_step X t T s j = evolve equivalent_step X t T u j.
Proof. intros E. induction T as [|T IH]; [exact E|]. intros j hj. simpl. now apply step_is. Qed.
End Step.

Section Certificate.
Variables (resets after keeps : bool) (n d k p s q e f : nat) (r c lo hi bound : Z) (hb w b bN bh : list Z).
Variables (U N V VN : list (list Z)).

Definition mgu_certificate : bool :=
  (length U =? n)%nat && (length V =? n)%nat && (length b =? n)%nat &&
  gru_certificate (multiplies_inner resets after) n d k p s q e f r c lo hi bound hb w
    (gate_bias resets keeps n b) bN (inner_bias resets bh)
    (gate_rows resets keeps n U) (inner_rows resets N) (gate_rows resets keeps n V) VN.

Hypothesis checked : mgu_certificate = true.

Theorem mgu_vanishes : IZR r / 2 ^ e < 1 /\
  forall (X : nat -> nat -> R) (t T : nat) (v : nat -> R),
  (forall t' l, (l < d)%nat -> Rabs (X t' l) <= IZR bound / 2 ^ p) ->
  let st := evolve (mgu_step resets after keeps n d k U N V VN b bN bh) X 0 t (fun _ => 0) in
  exists D : nat -> R,
    (forall i, (i < n)%nat -> derivable_pt_lim
       (fun y => evolve (mgu_step resets after keeps n d k U N V VN b bN bh) X t T (fun j => st j + y * v j) i) 0 (D i)) /\
    norm n D <= IZR c / 2 ^ f * (IZR r / 2 ^ e) ^ T * norm n v.
Proof.
pose proof checked as h. unfold mgu_certificate in h. rewrite !andb_true_iff in h.
destruct h as [[[hU hV] hb'] hg]. apply Nat.eqb_eq in hU, hV, hb'.
destruct (gru_vanishes _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ hg) as [r1 all].
split; [exact r1|]. intros X t T v hX st. destruct (all X t T v hX) as [D [hD hn]].
exists D. split; [|exact hn]. intros i hi'.
pose proof (evolve_is resets after keeps n d k U N V VN b bN bh hU hV hb') as same.
eapply derivable_pt_lim_ext; [|exact (hD i hi')].
intros y. cbv beta. symmetry. apply same; [|exact hi'].
intros l hl. f_equal. now apply same.
Qed.
End Certificate.
