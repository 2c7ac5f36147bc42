(** Vectors of integers as vectors of reals: a float64 matrix is an integer one divided by a power of two.

    The checkers compute on [list Z]; an entry past the end is 0. *)
From Coq Require Import Reals Lra Lia List ZArith.
From VG.cert Require Import Sums.
Import ListNotations.
Local Open Scope bool_scope.
Local Open Scope Z_scope.

Fixpoint dot (a b : list Z) : Z :=
  match a, b with u :: a', v :: b' => u * v + dot a' b' | _, _ => 0 end.

(** sum |a_i| b_i *)
Fixpoint absdot (a b : list Z) : Z :=
  match a, b with u :: a', v :: b' => Z.abs u * v + absdot a' b' | _, _ => 0 end.

Definition total (a : list Z) : Z := fold_right Z.add 0 a.

Fixpoint zip (f : Z -> Z -> Z) (a b : list Z) : list Z :=
  match a, b with u :: a', v :: b' => f u v :: zip f a' b' | _, _ => nil end.

Definition within (lo hi : Z) (a : list Z) : bool := forallb (fun v => (lo <=? v) && (v <=? hi)) a.
Definition square_shaped (n : nat) (rows : list (list Z)) : bool :=
  (length rows =? n)%nat && forallb (fun a => (length a <=? n)%nat) rows.

Local Open Scope R_scope.

Definition zn (a : list Z) i := IZR (nth i a 0%Z).

(** The real matrices that lists of rows, or of columns, in units of 2^-k stand for. *)
Definition of_rows (k : nat) (rows : list (list Z)) i j := zn (nth i rows nil) j / 2 ^ k.
Definition of_columns (k : nat) (columns : list (list Z)) i j := zn (nth j columns nil) i / 2 ^ k.

Lemma pow2_pos k : 0 < 2 ^ k.
Proof. apply pow_lt; lra. Qed.

Lemma pow_IZR_nat m : 2 ^ m = IZR (2 ^ Z.of_nat m).
Proof. exact (pow_IZR 2 m). Qed.

Lemma zn_nil i : zn nil i = 0.
Proof. unfold zn; now destruct i. Qed.

Lemma sumR_zero n f : (forall j, (j < n)%nat -> f j = 0) -> sumR n f = 0.
Proof. intros h. rewrite (sumR_ext n f (fun _ => 0)) by easy. rewrite sumR_const; ring. Qed.

Lemma dot_sum p a b : (length a <= p)%nat -> IZR (dot a b) = sumR p (fun i => zn a i * zn b i).
Proof.
revert p b; induction a as [|u a IH]; intros p b hp; simpl in hp.
- rewrite sumR_zero; [easy|]. intros; rewrite zn_nil; ring.
- destruct b as [|v b].
  + rewrite sumR_zero; [easy|]. intros; rewrite zn_nil; ring.
  + destruct p as [|p]; [lia|]. simpl dot. rewrite sumR_first, plus_IZR, mult_IZR, (IH p) by lia. reflexivity.
Qed.

Lemma absdot_dot a b : absdot a b = dot (map Z.abs a) b.
Proof. revert b; induction a as [|u a IH]; intros [|v b]; simpl; auto. now rewrite IH. Qed.

Lemma zn_abs a j : zn (map Z.abs a) j = Rabs (zn a j).
Proof. unfold zn; rewrite <- abs_IZR. f_equal. now rewrite <- (map_nth Z.abs). Qed.

Lemma absdot_sum p a b : (length a <= p)%nat -> IZR (absdot a b) = sumR p (fun i => Rabs (zn a i) * zn b i).
Proof.
intros h. rewrite absdot_dot, (dot_sum p) by now rewrite map_length.
apply sumR_ext; intros; now rewrite zn_abs.
Qed.

Lemma total_sum a : IZR (total a) = sumR (length a) (zn a).
Proof.
induction a as [|u a IH]; [easy|]. simpl length. rewrite sumR_first. simpl total.
unfold total in *; rewrite plus_IZR, IH. reflexivity.
Qed.

Lemma zip_length f a b : length (zip f a b) = Nat.min (length a) (length b).
Proof. revert b; induction a as [|u a IH]; intros [|v b]; simpl; auto. Qed.

Lemma zip_nth f a b i : (i < length a)%nat -> (i < length b)%nat ->
  nth i (zip f a b) 0%Z = f (nth i a 0%Z) (nth i b 0%Z).
Proof.
revert b i; induction a as [|u a IH]; intros [|v b] i; simpl; try lia.
destruct i as [|i]; [easy|]. intros; apply IH; lia.
Qed.

Lemma within_bounds lo hi a i : within lo hi a = true -> (i < length a)%nat -> IZR lo <= zn a i <= IZR hi.
Proof.
intros h hi'. unfold within in h. rewrite forallb_forall in h.
specialize (h (nth i a 0%Z) (nth_In a 0%Z hi')). apply andb_prop in h. destruct h as [h1 h2].
apply Z.leb_le, IZR_le in h1; apply Z.leb_le, IZR_le in h2. now split.
Qed.

Lemma shape_length n rows : square_shaped n rows = true -> length rows = n.
Proof. unfold square_shaped; intros h; apply andb_prop in h; now apply Nat.eqb_eq. Qed.

Lemma shape_row n rows i : square_shaped n rows = true -> (length (nth i rows nil) <= n)%nat.
Proof.
unfold square_shaped; intros h; apply andb_prop in h; destruct h as [h1 h2].
destruct (Nat.lt_ge_cases i (length rows)) as [l|g]; [|rewrite (nth_overflow _ _ g); simpl; lia].
rewrite forallb_forall in h2. apply Nat.leb_le, h2, nth_In, l.
Qed.

Lemma of_rows_abs k rows i j : Rabs (of_rows k rows i j) = Rabs (zn (nth i rows nil) j) / 2 ^ k.
Proof.
unfold of_rows, Rdiv. pose proof (pow2_pos k).
rewrite Rabs_mult, (Rabs_pos_eq (/ 2 ^ k)); [easy|]. now apply Rlt_le, Rinv_0_lt_compat.
Qed.
